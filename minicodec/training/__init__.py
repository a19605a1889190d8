"""Learning a codec: data, one update, and the loop that survives being killed.

`config` says what is learned and how. `sources`, with `folder` and `published`, bring sound, and
`batches` draw from them; `start` is where codebooks and weights begin, `update` is one step of the
paper's recipe, and `trainer` repeats it in the `processes` that share a run. `run_state`,
`run_lock`, `validation`, `journal`, `interrupts` and `export` are what their names say.

Chapters 07 to 10. Paper: sections 3.4 and 4.
"""
