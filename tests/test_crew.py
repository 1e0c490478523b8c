"""Crew: the number of threads follows what was faster of late, and costs little to find out."""

import itertools

import numpy as np

from pellucid import FCNNClassifier
from pellucid.engine import crew as module
from pellucid.engine.crew import Crew


class Machine:
    """A clock of its own, and how long a step takes with so many threads."""

    def __init__(self, monkeypatch, paces):
        self.now, self.paces, self.calls = 0.0, paces, []
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module, "_last", (float("-inf"), 1.0))

    def run(self, crew, seconds, impatient):
        """Calls of about a tenth of a second, in which threads wait too often if `impatient`."""
        end = self.now + seconds
        while self.now < end:
            threads = crew.threads
            steps = crew.steps(max(1, int(0.1 / self.paces[crew.count])))
            spent = steps * self.paces[threads]
            self.now += spent
            self.calls.append((threads, spent))
            crew.observe(threads, spent / steps, impatient and threads > 1)


def test_on_a_free_machine_all_threads_work_without_a_trial(monkeypatch):
    machine, crew = Machine(monkeypatch, {1: 2e-3, 2: 1e-3}), Crew(2)
    machine.run(crew, 10, impatient=False)
    assert {threads for threads, _ in machine.calls} == {2}


def test_on_a_busy_machine_fewer_work_and_trials_grow_rare(monkeypatch):
    machine, crew = Machine(monkeypatch, {1: 1e-3, 2: 5e-3}), Crew(2)
    machine.run(crew, 60, impatient=True)
    assert crew.count == 1
    with_two = [spent for threads, spent in machine.calls if threads == 2]
    assert 10 < len(with_two) < 30  # one every 4 seconds in the end


def test_threads_come_back_when_the_machine_is_free_again(monkeypatch):
    machine, crew = Machine(monkeypatch, {1: 1e-3, 2: 5e-3}), Crew(2)
    machine.run(crew, 20, impatient=True)
    assert crew.count == 1
    machine.paces[2] = 0.6e-3
    machine.run(crew, 5, impatient=False)
    assert crew.count == 2


def test_waiting_that_costs_less_than_it_brings_changes_nothing(monkeypatch):
    """Where steps are long, partners always differ by more than they spin."""
    machine, crew = Machine(monkeypatch, {1: 0.2, 2: 0.11}), Crew(2)
    machine.run(crew, 100, impatient=True)
    assert crew.count == 2
    assert sum(spent for threads, spent in machine.calls if threads == 1) < 10


def test_half_of_many_threads_go_on(monkeypatch):
    paces = {1: 8e-3, 2: 4e-3, 4: 2e-3, 8: 9e-3}
    machine, crew = Machine(monkeypatch, paces), Crew(8)
    machine.run(crew, 1, impatient=True)
    assert crew.count == 4


def test_the_next_pass_begins_as_the_last_one_ended_for_a_while(monkeypatch):
    machine, crew = Machine(monkeypatch, {1: 1e-3, 2: 5e-3}), Crew(2)
    machine.run(crew, 1, impatient=True)
    assert (crew.count, Crew(2).count, Crew(8).count) == (1, 1, 4)
    machine.now += module.MEMORY + 1
    assert Crew(8).count == 8


def test_one_thread_has_nothing_to_choose(monkeypatch):
    machine, crew = Machine(monkeypatch, {1: 1e-3}), Crew(1)
    machine.run(crew, 10, impatient=False)
    assert {threads for threads, _ in machine.calls} == {1}


def test_a_fit_whose_threads_change_has_the_same_bits(monkeypatch):
    """From call to call, as on a machine whose other work comes and goes."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(3000, 40)), random.integers(0, 2, 3000)

    def digest(jobs):
        model = FCNNClassifier(
            hidden_dim=128, max_epochs=3, batch_size=200, n_jobs=jobs, random_state=0, verbose=0
        )
        return model.fit(X, y).network_.values.tobytes()

    one, counts = digest(1), itertools.cycle((3, 1, 2))
    calls = []

    def threads(crew):
        calls.append(min(crew.most, next(counts)))
        return calls[-1]

    monkeypatch.setattr(Crew, "threads", property(threads))
    monkeypatch.setattr(Crew, "steps", lambda crew, most: min(most, 2))
    monkeypatch.setattr(Crew, "observe", lambda *_: None)  # the numbers above are not of its choice
    assert digest(3) == one
    assert set(calls) == {1, 2, 3}
