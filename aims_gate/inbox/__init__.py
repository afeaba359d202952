"""The receiver's inbox: a durable set of models that wait to be judged, and what was done to them.

A set of keys and not a queue of jobs, as a controller's work queue is: a model is judged from its
state, so that ten deliveries about it need one judgement, and one that got lost needs none.
"""
