"""The winner as a service: over HTTP (`server`), or on a folder of files (`watch`); and what is done with its answers.

Needs that this room answers:

* Whatever comes in gets an answer that says what was wrong with it; nothing that a stranger sends ends the service,
  fills its memory or keeps others waiting.
* Nothing is fetched, opened or run because a request says so: a request holds values, never names of files.
* Several processes serve one model as one would: they share their limits and their numbers (`board`), and each takes a
  new version without dropping a request (`served`).
* A model that answers is needed, and no learner: `pip install 'deepenough[serve]'` and what the model's manifest names.
"""
