"""What editors ask about a spec: a language server (`tinyml lsp`), and what can be called, as pages list it.

Only `server` and `convert` know the protocol (pygls, the extra `lsp`); the rest is about texts and positions."""
