"""The collector: takes in what tags, mails and forms say, and answers only when it is safe.

Imports only `kit`; no Django. An event is acknowledged after its commit to `inbox`, or after its fsync to the spool
while the database is away. `app` answers, `pipeline` judges, `wire` writes rows, `buffer` commits, `spool` bridges.
"""
