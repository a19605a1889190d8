"""Learning a codec: data, one update, and the loop that survives being killed.

`config` says what is learned and how, `sources` and `data` bring sound, `start` is where codebooks
and weights begin, `update` is one step of the paper's recipe, `trainer` repeats it on the machine
that `engine` finds. `run_state`, `validation` and `journal` are what their names say.

Chapter 10. Paper: sections 3.4 and 4.
"""
