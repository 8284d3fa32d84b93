"""The embedded cloud: AWS on this machine, for the tests and for the demo. Nothing of it reaches a template."""
