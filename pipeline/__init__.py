"""The steps that the command line and the DAGs both call; the only room that knows all the others."""
