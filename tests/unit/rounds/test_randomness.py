"""Seeded randomness is reproducible and of a type of its own; dealt seeds are pairwise."""

from __future__ import annotations

from tacit.rounds.randomness import SeededRandomness, SystemRandomness, deal_pairwise_seeds

NAMES = ("alice", "bob", "carol")


def test_seeded_randomness_repeats_and_moves_on() -> None:
    a, b = SeededRandomness(5), SeededRandomness(5)
    first, second = a.token(16), a.token(16)
    assert (first, second) == (b.token(16), b.token(16))
    assert first != second
    assert SeededRandomness(6).token(16) != first
    assert len(a.token(1000)) == 1000


def test_lengths_do_not_continue_into_each_other() -> None:
    """Different draws are independent, not consecutive pieces of one another."""
    a, b = SeededRandomness(5), SeededRandomness(5)
    a.token(8)
    assert b.token(32)[8:24] != a.token(16)


def test_seeded_randomness_is_a_type_of_its_own_and_shows_no_seed() -> None:
    assert not isinstance(SeededRandomness(1), SystemRandomness)
    assert repr(SeededRandomness(424242)) == "SeededRandomness(insecure)"


def test_system_randomness_is_fresh() -> None:
    assert SystemRandomness().token(16) != SystemRandomness().token(16)


def test_each_pair_has_a_seed_and_nobody_has_one_of_others() -> None:
    seeds = deal_pairwise_seeds(NAMES, SeededRandomness(1))
    for i in range(3):
        assert set(seeds[i]) == {0, 1, 2} - {i}
        for j in seeds[i]:
            assert seeds[i][j] == seeds[j][i]
    assert len({seeds[0][1], seeds[0][2], seeds[1][2]}) == 3
