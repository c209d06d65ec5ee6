"""`leeway completion`"""

import click
from click.shell_completion import get_completion_class


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `leeway` in SHELL.

    \b
    Examples:
      leeway completion bash >> ~/.bashrc
      leeway completion zsh  >> ~/.zshrc
      leeway completion fish > ~/.config/fish/completions/leeway.fish
    """
    script = get_completion_class(shell)(ctx.find_root().command, {}, "leeway", "_LEEWAY_COMPLETE")
    click.echo(script.source())
