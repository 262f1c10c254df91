"""ringcast-cli as its users run it."""

import json
import os
import subprocess
import time

import broker as broker_module


class Cli:
    """A running ringcast-cli; what it writes to standard error is read as it comes."""

    def __init__(self, *words, **options):
        command = [broker_module.executable("ringcast-cli"), *map(str, words)]
        self.process = subprocess.Popen(
            command, stdin=options.get("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **options.get("env", {})},
        )
        self.errors = broker_module.Log(self.process.stderr)
        self.output = broker_module.Log(self.process.stdout)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """(exit code, standard output, standard error) once it has ended."""
        code = self.process.wait(broker_module.PATIENCE_S)
        self.errors.join()
        self.output.join()
        return code, self.output.text(), self.errors.text()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(*words, input=None, env=None):
    """(exit code, standard output, standard error) of one that ends by itself."""
    done = subprocess.run(
        [broker_module.executable("ringcast-cli"), *map(str, words)], input=input, capture_output=True, text=True,
        timeout=broker_module.PATIENCE_S, env={**os.environ, **(env or {})},
    )
    return done.returncode, done.stdout, done.stderr


def result(*words, **options):
    """The JSON that it printed; it must have succeeded."""
    code, out, err = run(*words, **options)
    assert code == 0, (words, code, err)
    return json.loads(out)


def wait_until(condition, what):
    deadline = time.monotonic() + broker_module.PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)

