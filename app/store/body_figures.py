"""How the answers of target and baseline differ, on one route: what is counted, and what is beyond the noise.

The baseline answers each request twice. Where its two answers differ, so may any other answer: that is
noise. So for each request there are three answers, and two counts of each key of an answer: in how many
requests the target's answer alone is different, and in how many the baseline's second answer alone is.
An unchanged target is as often alone as the baseline's second answer, whatever the noise; what it is more
often is the change. Pure; names of keys only, never values.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

KEYS_MAX = 100
"""Kept for each route. What differs under further keys is counted under OTHER_KEYS."""
OTHER_KEYS = "(other)"
UNSTEADY = "unsteady"
"""Why answers were not compared: the baseline's second one had another status, so nothing is known of the
noise. Whether a status is noise is counted all the same."""
PLACE = "\x1f"
"""Within a key: what follows is a place in it, such as the third word of an element. A nonce in one word must
not hide a change in another, so each place is judged by itself, and then counts under its key."""
Z_NOISE = 3.5
"""A key that is also noise counts where its excess is so many standard deviations. Runs have many keys and
routes, and an unchanged target must not fail by chance in any of them: one key in 4,000 does."""


@dataclass(slots=True, kw_only=True)
class BodyFigures:
    """Counts of requests. All but `changed` and `keys` are sums, and `merge` adds them."""

    compared: int = 0
    """Whose three answers were compared."""
    noisy: int = 0
    """Where the two answers of the baseline differ."""
    cut: int = 0
    """Where an answer was too long to be compared as a whole."""
    differing: int = 0
    """Where the target's answer alone is different in some key."""
    noise_only: int = 0
    """Where the baseline's second answer alone is different in some key."""
    differing_keys: Counter[str] = field(default_factory=Counter)
    """Key (`status`, `header:location`, `body.items[].price`) -> as `differing`."""
    noise_keys: Counter[str] = field(default_factory=Counter)
    """Key -> as `noise_only`."""
    noisy_keys: Counter[str] = field(default_factory=Counter)
    """Key -> as `noisy`."""
    uncompared: Counter[str] = field(default_factory=Counter)
    """Why answers were not compared -> requests."""

    @classmethod
    def without_noise(
        cls, compared: int, changed: int, noisy: int = 0, keys: Counter[str] | None = None
    ) -> BodyFigures:
        """Figures with these results."""
        return cls(compared=compared, noisy=noisy, differing=changed, differing_keys=Counter(keys or {}))

    @property
    def keys(self) -> Counter[str]:
        """What differs beyond the noise -> requests, estimated where the key is also noise."""
        found: Counter[str] = Counter()
        for key, excess in self._excesses().items():
            name = key.partition(PLACE)[0]
            found[name] = max(found[name], excess)
        return found

    def _excesses(self) -> dict[str, int]:
        """Key, with its place -> requests beyond the noise, without those that have none."""
        found = {
            key: _excess(count, self.noise_keys[key]) if self.noisy_keys[key] else count
            for key, count in self.differing_keys.items()
        }
        return {key: excess for key, excess in found.items() if excess}

    @property
    def changed(self) -> int:
        """Requests whose answers differ beyond the noise; an estimate where some of the keys are also noise.
        At least as many as the most frequent key, at most as many as all of them together."""
        if not self.noisy_keys:
            return self.differing
        excesses = self._excesses().values()
        if not excesses:
            return 0
        excess = max(self.differing - self.noise_only, *excesses)
        return min(excess, self.differing, sum(excesses))

    def note(
        self,
        differing: set[str],
        noise: set[str],
        noisy: set[str] | None = None,
        *,
        is_cut: bool = False,
        is_unsteady: bool = False,
    ) -> None:
        """Counts one request: the keys in which the target's answer alone is different, those in which the
        baseline's second answer alone is, and those in which it differs from the first (unless these are
        the same)."""
        noisy = noise if noisy is None else noisy
        if is_unsteady:
            self.uncompared[UNSTEADY] += 1
        else:
            self.compared += 1
            self.noisy += bool(noisy)
            self.cut += is_cut
        self.differing += bool(differing)
        self.noise_only += bool(noise)
        self.differing_keys.update(differing)
        self.noise_keys.update(noise)
        self.noisy_keys.update(noisy)

    def merge(self, other: BodyFigures) -> None:
        """Adds what another has counted on this route."""
        self.compared += other.compared
        self.noisy += other.noisy
        self.cut += other.cut
        self.differing += other.differing
        self.noise_only += other.noise_only
        self.uncompared.update(other.uncompared)
        known = self.differing_keys.keys() | self.noisy_keys.keys()
        for key in dict.fromkeys([*other.differing_keys, *other.noisy_keys]):
            if key not in known and len(known) < KEYS_MAX:
                known.add(key)
            name = key if key in known else OTHER_KEYS
            # A key must not be limited in one of the three only.
            for counts, added in self._key_counts(other):
                if added[key]:
                    counts[name] += added[key]

    def add_route(self, route: BodyFigures) -> None:
        """Adds the results of one of several routes. Noise is judged on each route by itself, because the
        same key may be noise on one and not on another."""
        self.compared += route.compared
        self.noisy += route.noisy
        self.cut += route.cut
        self.differing += route.changed
        self.differing_keys.update(route.keys)
        self.uncompared.update(route.uncompared)

    def _key_counts(self, other: BodyFigures) -> list[tuple[Counter[str], Counter[str]]]:
        return [
            (self.differing_keys, other.differing_keys),
            (self.noise_keys, other.noise_keys),
            (self.noisy_keys, other.noisy_keys),
        ]


def _excess(differing: int, noise: int) -> int:
    """How many of the `differing` requests are beyond the noise of the key; 0 where all may be noise."""
    excess = differing - noise
    return excess if excess > Z_NOISE * math.sqrt(differing + noise) else 0
