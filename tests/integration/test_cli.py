"""ringcast-cli call and register, against the real broker and hand-written peers, across two workers."""

import re
import signal

import pytest

import wamp
from cli import Cli, result, run, wait_until
from wamp import CALL, CANCEL, ERROR, INTERRUPT, INVOCATION, REGISTER, REGISTERED, RESULT, YIELD

both_serializers = pytest.mark.parametrize("serializer", wamp.SERIALIZERS)


@pytest.fixture
def broker(start_broker):
    return start_broker("--processes", 2, "--threads", 1)


@pytest.fixture
def start(broker):
    """Starts ringcast-cli against the broker; killed at the end if it still runs."""
    started = []

    def start_cli(command, *words, serializer="msgpack", **options):
        started.append(Cli(command, "--url", broker.url, "--serializer", serializer, *words, **options))
        return started[-1]

    yield start_cli
    for cli in started:
        cli.end()


@pytest.fixture
def serve(start):
    """A procedure served by a command; waits until it is registered."""

    def register(procedure, *words, **options):
        cli = start("register", procedure, *words, **options)
        cli.errors.wait_for(re.compile(rf"^registered {re.escape(procedure)} \d+$"))
        return cli

    return register


def joined(broker, serializer):
    session = wamp.Session.open(broker.url, serializer)
    session.join(details={"roles": {**wamp.ROLES, "callee": {"features": {
        "call_canceling": True, "progressive_call_results": True}}}})
    return session


def register(session, procedure, **options):
    request = session.next_request()
    session.send([REGISTER, request, options, procedure])
    return session.expect(REGISTERED, request)[2]


def call(session, procedure, *args, kwargs=None, **options):
    request = session.next_request()
    session.send([CALL, request, options, procedure, list(args), *([kwargs] if kwargs else [])])
    return request


# ---- call ----


@both_serializers
def test_a_call_carries_every_kind_of_argument_there_and_back(broker, start, serializer):
    callee = joined(broker, serializer)
    register(callee, "cli.echo")
    caller = start("call", "cli.echo", "5", "text", "[1,[2]]", '{"a":null}', "ä", "--kwarg", "n=1.5", "--kwarg",
                   "t=x=y", "--output", "full", serializer=serializer)
    message = callee.expect(INVOCATION)
    assert message[4:] == [[5, "text", [1, [2]], {"a": None}, "ä"], {"n": 1.5, "t": "x=y"}]
    callee.send([YIELD, message[1], {}, message[4], message[5]])
    code, out, err = caller.wait()
    assert code == 0, err
    assert out == ('{"args":[5,"text",[1,[2]],{"a":null},"ä"],"kwargs":{"n":1.5,"t":"x=y"}}')


@pytest.mark.parametrize(("payload", "style", "shown"), [
    ([], "value", "null"),
    ([[7]], "value", "7"),
    ([["text"]], "value", '"text"'),
    ([["text", 2]], "raw", "text\n2"),
    ([[1, 2]], "value", '{"args":[1,2],"kwargs":{}}'),
    ([[], {"k": 1}], "value", '{"args":[],"kwargs":{"k":1}}'),
    ([[7]], "full", '{"args":[7],"kwargs":{}}'),
])
def test_a_result_is_shown_as_what_it_is(broker, start, payload, style, shown):
    callee = joined(broker, "json")
    register(callee, "cli.shown")
    caller = start("call", "cli.shown", "--output", style)
    callee.send([YIELD, callee.expect(INVOCATION)[1], {}, *payload])
    assert caller.wait()[:2] == (0, shown)


@both_serializers
def test_an_error_goes_to_standard_error_with_an_exit_code_of_its_own(broker, start, serializer):
    callee = joined(broker, serializer)
    register(callee, "cli.fails")
    caller = start("call", "cli.fails", serializer=serializer)
    message = callee.expect(INVOCATION)
    callee.send([ERROR, INVOCATION, message[1], {}, "com.example.bad", ["why it failed", 2], {"k": "v"}])
    code, out, err = caller.wait()
    assert (code, out) == (4, "")
    assert err.splitlines() == ["ringcast-cli: com.example.bad: why it failed",
                                '  {"args":["why it failed",2],"kwargs":{"k":"v"}}']
    code, out, err = run("call", "cli.nobody", "--url", broker.url)
    assert code == 4 and "wamp.error.no_such_procedure" in err, err


@both_serializers
def test_progressive_results_come_line_by_line(broker, start, serializer):
    callee = joined(broker, serializer)
    register(callee, "cli.steps")
    caller = start("call", "cli.steps", "--progress", serializer=serializer)
    message = callee.expect(INVOCATION)
    assert message[3]["receive_progress"] is True
    for step in (1, 2):
        callee.send([YIELD, message[1], {"progress": True}, [{"step": step}]])
        caller.output.wait_for(re.compile(rf'^{{"step":{step}}}$'))  # before there is any more
    callee.send([YIELD, message[1], {}, ["done"]])
    assert caller.wait()[:2] == (0, '{"step":1}\n{"step":2}\n"done"')


@both_serializers
def test_ctrl_c_cancels_the_call(broker, start, serializer):
    callee = joined(broker, serializer)
    register(callee, "cli.hangs")
    caller = start("call", "cli.hangs", serializer=serializer)
    message = callee.expect(INVOCATION)
    caller.signal(signal.SIGINT)
    assert callee.expect(INTERRUPT, message[1])[2]["mode"] == "killnowait"
    code, out, err = caller.wait()
    assert (code, out) == (130, "") and "wamp.error.canceled" in err, err


def test_a_timeout_ends_the_call(broker, start):
    callee = joined(broker, "json")
    register(callee, "cli.slow")
    caller = start("call", "cli.slow", "--timeout", 0.2)
    callee.expect(INVOCATION)
    code, _, err = caller.wait()
    assert code == 4 and "wamp.error.timeout" in err, err


def test_the_caller_is_disclosed_if_it_wants_to(broker, start):
    callee = joined(broker, "json")
    register(callee, "cli.who")
    for words, disclosed in (([], False), (["--disclose"], True)):
        caller = start("call", "cli.who", *words)
        message = callee.expect(INVOCATION)
        assert ("caller" in message[3]) == disclosed, message
        callee.send([YIELD, message[1], {}])
        assert caller.wait()[0] == 0


def test_the_payload_as_one_json_value(broker, serve):
    serve("cli.json", "--", "cat")
    for words, given, args, kwargs in (
            (["--json", "[1,2]"], None, [1, 2], {}),
            (["--json", '{"a":1}'], None, [], {"a": 1}),
            (["--json", "-"], "[[3]]", [[3]], {}),
            (["--json", "7"], None, [7], {})):
        code, out, err = run("call", "cli.json", "--url", broker.url, *words, input=given)
        assert code == 0, err
        assert out == '{"procedure":"cli.json","args":%s,"kwargs":%s}\n' % (
            str(args).replace(" ", ""), str(kwargs).replace("'", '"').replace(" ", ""))


# ---- register ----


@both_serializers
def test_a_command_serves_calls(broker, serve, serializer):
    serve("cli.cat", "--", "cat", serializer=serializer)
    value = ["ä", 1, 2.5, None, [[]], {"k": {}}]
    got = result("call", "cli.cat", "--url", broker.url, "--json", '["ä",1,2.5,null,[[]],{"k":{}}]')
    assert got == {"procedure": "cli.cat", "args": value, "kwargs": {}}
    session = joined(broker, serializer)
    request = call(session, "cli.cat", 1, kwargs={"x": "y"}, disclose_me=True)
    answer = session.expect(RESULT, request)
    assert answer[3][0]["caller"] == session.id and answer[3][0]["kwargs"] == {"x": "y"}, answer


@both_serializers
def test_output_is_json_if_it_parses_else_text_else_bytes(broker, serve, serializer):
    serve("cli.out.", "--match", "prefix", "--", "python3", "-c", "import sys,json;sys.stdout.buffer.write(bytes(json.load(sys.stdin)['args']))",
          serializer=serializer)
    session = joined(broker, "msgpack")
    for output, args in ((b"42\n", [42]), (b'{"a": [1]}', [{"a": [1]}]), (b"two words\n", ["two words"]),
                         (b"[1, 2]\n", [[1, 2]]), (b"", None), (b"\xff\x00", [b"\xff\x00"]), (b"\n", [""])):
        request = call(session, "cli.out.x", *output)
        answer = session.expect(RESULT, request)
        assert answer[3:] == ([args] if args is not None else []), (output, answer)


@both_serializers
def test_a_command_that_fails_is_an_error_with_what_it_said(broker, serve, serializer):
    serve("cli.fail", "--", "sh", "-c", "echo out; echo first >&2; printf 'l\\303\\244st\\377' >&2; exit 7", serializer=serializer)
    session = joined(broker, serializer)
    request = call(session, "cli.fail")
    answer = session.expect(ERROR, CALL, request)
    assert answer[4:] == ["ringcast.error.command_failed", ["first\nläst\ufffd"], {"exit_status": 7}], answer
    serve("cli.killed", "--", "sh", "-c", "kill -9 $$", serializer=serializer)
    request = call(session, "cli.killed")
    answer = session.expect(ERROR, CALL, request)
    assert answer[4] == "ringcast.error.command_failed" and answer[6] == {"signal": 9}, answer


def test_a_result_that_is_too_large_costs_the_call_only(broker, serve):
    serve("cli.large", "--output-bytes-max", 1000, "--", "sh", "-c", "head -c $(cut -d[ -f2 | cut -d] -f1) /dev/zero | tr '\\0' x")
    session = joined(broker, "json")
    for size in (900, 2000, 10_000_000, 900):
        request = call(session, "cli.large", size)
        if size == 900:
            assert session.expect(RESULT, request)[3] == ["x" * 900]
        else:
            assert session.expect(ERROR, CALL, request)[4] == "ringcast.error.limit_exceeded"


def test_a_result_that_is_too_large_once_it_is_encoded_costs_the_call_only(broker, serve):
    """A control character is six in JSON."""
    serve("cli.escaped", "--output-bytes-max", 1000, "--", "sh", "-c", "head -c 900 /dev/zero | tr '\\0' '\\1'",
          serializer="json")
    session = joined(broker, "json")
    request = call(session, "cli.escaped")
    assert session.expect(ERROR, CALL, request)[4] == "ringcast.error.limit_exceeded"


def test_no_shell_sees_the_words(broker, serve):
    serve("cli.words", "--", "printf", "%s|", "$HOME", "a b", "; echo x", "*", "--", "[1]")
    assert result("call", "cli.words", "--url", broker.url) == "$HOME|a b|; echo x|*|--|[1]|"


def test_the_child_inherits_only_what_it_should(broker, serve):
    """Three descriptors, no ignored or blocked signal, a session of its own, and the server's environment."""
    program = ("import os,json,signal;"
               "s=open('/proc/self/status').read();"
               "f=lambda n:int([l for l in s.splitlines() if l.startswith(n)][0].split()[1],16);"
               "print(json.dumps({'fds':sorted(int(x) for x in os.listdir('/proc/self/fd') "
               "if os.path.exists('/proc/self/fd/'+x)),"
               "'blocked':f('SigBlk'),'ignored':f('SigIgn')&~(1<<12)&~(1<<24),'leader':os.getsid(0)==os.getpid(),"
               "'mark':os.environ.get('CLI_TEST_MARK')}))")
    # Python itself ignores SIGPIPE (13) and SIGXFSZ (25) when it starts.
    serve("cli.child", "--", "python3", "-c", program, env={"CLI_TEST_MARK": "here"})
    got = result("call", "cli.child", "--url", broker.url)
    assert got == {"fds": [0, 1, 2], "blocked": 0, "ignored": 0, "leader": True, "mark": "here"}


def test_sigpipe_ends_a_child_as_it_would_in_a_shell(broker, serve):
    serve("cli.pipe", "--", "sh", "-c", "trap | grep -c PIPE; grep SigIgn /proc/self/status")
    text = result("call", "cli.pipe", "--url", broker.url)
    assert text.endswith("SigIgn:\t0000000000000000"), text


def test_as_many_commands_run_as_concurrency_says(broker, serve, tmp_path):
    """Each waits for the others in a directory: two at a time can meet, three never do."""
    script = f"echo x > {tmp_path}/$$; for i in $(seq 20); do ls {tmp_path} | wc -l; sleep 0.02; done | sort -n | tail -1; rm {tmp_path}/$$"
    serve("cli.many", "--concurrency", 2, "--", "sh", "-c", script)
    session = joined(broker, "json")
    requests = [call(session, "cli.many") for _ in range(6)]
    seen = [session.expect(RESULT)[3][0] for _ in requests]
    assert max(seen) == 2, seen


@both_serializers
def test_an_interrupt_ends_the_command_and_all_it_started(broker, serve, tmp_path, serializer):
    pid_file = tmp_path / "pids"
    serve("cli.long", "--", "sh", "-c", f"trap '' TERM; sleep 1000 & echo $! $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; wait; wait",
          serializer=serializer)
    session = joined(broker, serializer)
    request = call(session, "cli.long")
    wait_until(pid_file.exists, "the command runs")
    session.send([CANCEL, request, {"mode": "kill"}])
    assert session.expect(ERROR, CALL, request)[4] == "wamp.error.canceled"
    for pid in map(int, pid_file.read_text().split()):
        wait_until(lambda: not runs(pid), f"{pid} has ended")


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_takes_too_long_is_ended(broker, serve):
    serve("cli.sleeps", "--timeout", 0.3, "--", "sleep", 1000)
    session = joined(broker, "json")
    request = call(session, "cli.sleeps")
    assert session.expect(ERROR, CALL, request)[4] == "wamp.error.timeout"


def test_killing_the_server_kills_the_commands(broker, serve, tmp_path):
    pid_file = tmp_path / "pid"
    server = serve("cli.orphan", "--", "sh", "-c", f"echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 1000")
    session = joined(broker, "json")
    request = call(session, "cli.orphan")
    wait_until(pid_file.exists, "the command runs")
    server.signal(signal.SIGKILL)
    assert session.expect(ERROR, CALL, request)[4] == "wamp.error.canceled"
    wait_until(lambda: not runs(int(pid_file.read_text())), "the command has ended")


def test_the_first_signal_finishes_what_runs(broker, serve, tmp_path):
    go = tmp_path / "go"
    started = tmp_path / "started"
    server = serve("cli.last", "--", "sh", "-c", f"touch {started}; while [ ! -e {go} ]; do sleep 0.02; done; echo done")
    session = joined(broker, "json")
    request = call(session, "cli.last")
    wait_until(started.exists, "the command runs")
    server.signal(signal.SIGTERM)
    wait_until(lambda: run("call", "cli.other", "--url", broker.url)[0] == 4 and broker.total("registrations") == 0,
               "it is unregistered")
    go.touch()
    assert session.expect(RESULT, request)[3] == ["done"]
    assert server.wait()[0] == 0


def test_shared_registrations_and_patterns(broker, serve):
    for name in ("a", "b"):
        serve("cli.shared", "--invoke", "roundrobin", "--", "echo", name)
    assert {result("call", "cli.shared", "--url", broker.url) for _ in range(2)} == {"a", "b"}
    serve("cli..wild", "--match", "wildcard", "--", "cat")
    assert result("call", "cli.x.wild", "--url", broker.url)["procedure"] == "cli.x.wild"
    code, _, err = Cli("register", "cli.shared", "--url", broker.url, "--", "true").wait()
    assert code == 3 and "procedure_already_exists" in err, err


def test_usage_is_checked_before_anything_happens(broker):
    for words in (["call"], ["call", "x", "--kwarg", "novalue"], ["call", "x", "--json", "{"], ["call", "x", "1", "--json", "1"],
                  ["call", "x", "--timeout", "-1"], ["register", "x"], ["register", "x", "--", "/no/such/program"],
                  ["register", "x", "--concurrency", "0", "--", "true"], ["register", "x", "--match", "odd", "--", "true"],
                  ["call", "x", "--authid", "joe"], ["call", "x", "--ticket-file", "/dev/null", "--authid", "joe"],
                  ["call", "x", "--secret-file", "/no/such/file", "--authid", "joe"]):
        code, out, err = run(*words, env={"RINGCAST_URL": broker.url})
        assert code == 2 and err and not out, (words, code, err)

