"""How good speech sounds, by PESQ where it is installed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modembank.media.records import RATE_HZ
from modembank.selftest.programme import Samples

NOT_INSTALLED = "PESQ is not installed; `pip install 'modembank[speech]'` adds it (it needs a C compiler)"


@dataclass(frozen=True, slots=True)
class Score:
    """MOS-LQO from 1.0 (bad) to 4.5 (excellent), or why there is none."""

    value: float | None
    note: str = ""


def pesq_score(said: Samples, heard: Samples) -> Score:
    """Return the narrow-band score of what was heard against what was said; both at 8 kHz, about aligned.

    Source: ITU-T P.862 with the mapping of P.862.1.
    """
    try:
        import pesq
    except ImportError:
        return Score(None, NOT_INSTALLED)
    if not np.any(heard):
        return Score(None, "nothing was heard")
    try:
        return Score(float(pesq.pesq(RATE_HZ, said.astype(np.float32), heard.astype(np.float32), "nb")))
    except pesq.PesqError as error:
        return Score(None, f"PESQ found no speech to judge ({type(error).__name__})")
