"""Search for good hyperparameter values: the space, and the strategies that choose the next trial in it.

A library of its own: it knows neither records nor the service.

>>> from sagehound.tuning.catalogue import create
>>> from sagehound.tuning.space import Categorical, Space
>>> grid = create("Grid", Space((Categorical("epochs", ("1", "2")),)), seed=0, maximize=False)
>>> grid.ask(1), grid.ask(2), grid.ask(3)
({'epochs': '1'}, {'epochs': '2'}, None)
"""
