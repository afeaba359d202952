"""MLflow's model registry, runs and artifacts: one contract, read and written in three ways.

`contract` says what may be asked and `entities` what is answered; `rest` asks a server over HTTP,
`client` goes through `MlflowClient`, `served` reads a server's own stores inside it; `choose` says
which of them a URI gets.
"""
