"""What each event does to the facts, a module a family."""
