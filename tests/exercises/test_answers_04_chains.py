"""Chains of layers in pieces: the right one is one pass, and two calls do not hear each other."""

import torch

from minicodec.exercises import answers_04_chains as chains


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_right_chain_is_one_pass():
    enc, dec, sound, frames = given = chains.networks_in_pieces(generator())
    found = chains.tried_chain(chains.chain, *given)
    with torch.no_grad():
        latents, copy = enc(torch.cat(sound, -1)), dec(torch.cat(frames, -1))
    torch.testing.assert_close(found["latents"], latents, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found["sound"], copy, atol=1e-5, rtol=1e-4)
    hop, skipped = 320, 320 * frames[0].shape[-1]
    second = copy[..., skipped : skipped + hop * frames[1].shape[-1]]
    torch.testing.assert_close(found["resumed from an old state"], second, atol=1e-5, rtol=1e-4)


def test_only_the_resumed_stream_shows_a_list_that_was_changed():
    given = chains.networks_in_pieces(generator())
    right, wrong = (chains.tried_chain(f, *given) for f in (chains.chain, chains.in_place))
    torch.testing.assert_close(right["sound"], wrong["sound"])
    name = "resumed from an old state"
    assert not torch.allclose(right[name], wrong[name])


def test_two_calls_are_two_passes_and_one_state_is_not():
    layers, first, second = chains.two_voices(generator())
    for found, voice in zip(chains.two_calls(layers, first, second), (first, second)):
        x = torch.cat(voice, -1)
        with torch.no_grad():
            for layer in layers:
                x = layer(x)
        torch.testing.assert_close(found, x, atol=1e-5, rtol=1e-4)
    a, b = chains.one_state(layers, first, second)
    right = chains.two_calls(layers, first, second)
    assert a.shape == right[0].shape and not torch.allclose(b, right[1])
