"""Patients who are no longer listed: archived ones, and those merged into another."""

from collections.abc import Sequence
from random import Random

from cliniko_emulator.records import Patient

_ARCHIVED, _ARCHIVED_IN_TREATMENT, _MERGED = 0.035, 0.05, 0.08


def archive(rng: Random, finished: Sequence[Patient], in_treatment: Sequence[Patient], anchor: int) -> None:
    """Mostly patients who have finished; a few were archived although they still have appointments."""
    chosen = rng.sample(finished, _at_least_one(finished, _ARCHIVED))
    chosen += rng.sample(in_treatment, round(len(in_treatment) * _ARCHIVED_IN_TREATMENT))
    for patient in chosen:
        patient.archived_at = patient.updated_at = rng.randint(int(patient.updated_at), anchor)


def merge(rng: Random, never_came: Sequence[Patient], finished: Sequence[Patient], anchor: int) -> None:
    """The loser of a merge is archived and points to the winner, who has the appointments; the winner knows nothing."""
    for loser in rng.sample(never_came, min(len(finished), _at_least_one(never_came, _MERGED))):
        winner = rng.choice(finished)
        loser.first_name, loser.last_name = winner.first_name, winner.last_name
        loser.merged_with_patient_id = winner.id
        latest = max(loser.updated_at, winner.created_at)
        loser.merged_at = loser.archived_at = loser.updated_at = rng.randint(int(latest), anchor)


def _at_least_one(patients: Sequence[Patient], share: float) -> int:
    return min(len(patients), max(1, round(len(patients) * share)))
