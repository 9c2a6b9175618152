// Starts `tinyml lsp` for .tml files; everything else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function activate() {
  const command = workspace.getConfiguration("tinyml").get("command");
  const selector = [{ language: "tinyml" }];
  client = new LanguageClient("tinyml", "TinyML spec", { command, args: ["lsp"] }, { documentSelector: selector });
  return client.start();
}

function deactivate() {
  return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
