"""What the tests of the surfaces share: calls of the command line, processes of it."""
