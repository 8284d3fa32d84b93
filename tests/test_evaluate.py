import numpy as np
import pytest

from model.evaluate import Read, auroc, calibration_error, character_errors, exact, plain, wilson


def test_accents_and_case_count_only_where_asked() -> None:
    reads = [Read("Müller", "muller"), Read("ÉTÉ", "ETE")]
    assert exact(reads) == 0
    assert character_errors(reads) == pytest.approx(4 / 9)
    assert character_errors(reads, strict=False) == 0
    assert plain("Çà") == "ca"


def test_an_interval_holds_the_share_and_narrows_with_more() -> None:
    for right, of in ((0, 10), (5, 10), (10, 10)):
        low, high = wilson(right, of)
        assert 0 <= low <= right / of <= high <= 1
        assert high - low > 0.2
    assert wilson(990, 1000)[0] == pytest.approx(0.9817, abs=1e-3)


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    reads = [Read("a", "a" if rng.random() < 0.6 else "b", round(float(rng.random()), 1)) for _ in range(60)]
    pairs = [(r.confidence or 0.0, w.confidence or 0.0) for r in reads if r.right for w in reads if not w.right]
    by_hand = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert auroc(reads) == pytest.approx(by_hand)


def test_auroc_needs_both_kinds_and_every_confidence() -> None:
    assert auroc([Read("a", "a", 0.9)]) is None
    assert auroc([Read("a", "a", 0.9), Read("a", "b", None)]) is None
    assert auroc([Read("a", "a", 0.9), Read("a", "b", 0.1)]) == 1.0


def test_calibration_error_is_the_gap_between_confidence_and_share_right() -> None:
    sure = [Read("a", "a" if i < 7 else "b", 0.95) for i in range(10)]
    assert calibration_error(sure) == pytest.approx(0.25)
    honest = [Read("a", "a" if i < 7 else "b", 0.7) for i in range(10)]
    assert calibration_error(honest) == pytest.approx(0, abs=1e-9)
