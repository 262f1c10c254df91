"""From ringcast-bench's JSON to the figures of a row."""

CHECKS = ("lost", "duplicate", "out_of_order", "misdelivered", "corrupt", "foreign")
MIB = 1 << 20


def figures_of(mode, result):
    """A flat dictionary: what the metrics of a row name, and what the report shows beside them."""
    read = {"fanout": _fanout, "ingest": _ingest, "idle": _idle, "connect": _connect, "rpc": _rpc}[mode]
    figures = read(result)
    figures["tcp_congestion"] = result["config"]["tcp_congestion"]
    return figures


def _shares(server_us, generator_us):
    return {"generator_us": generator_us, "generator_share": generator_us / server_us if server_us else 0.0}


def _fanout(result):
    latency, server = result["latency_us"], result["server_cpu"]
    figures = {"us": server["us_per_delivery"], "per_s": result["deliveries_per_s"], "cores": server["cores"],
               "us_per_publication": server["us_per_publication"],
               "p50": latency["p50"], "p99": latency["p99"], "p999": latency["p99.9"]}
    figures |= _shares(server["us_per_delivery"], result["generator_cpu"]["us_per_delivery"])
    checks = result["checks"]
    figures["wrong"] = sum(checks[name] for name in CHECKS)
    figures["checked"] = checks["deliveries"]
    if memory := result.get("server_memory"):
        figures["growth_mib"] = (memory["peak_bytes"] - memory["connected_bytes"]) / MIB
    if stalled := result.get("stalled_readers"):
        figures["untold"] = stalled["connected"]
        figures["stalled_fate"] = (f"closed: {stalled['first_reason']}" if stalled["closed"] else
                                   "still connected" if stalled["connected"] else "connection lost")
    return figures


def _ingest(result):
    server = result["server_cpu"]
    return {"us_per_publication": server["us_per_publication"], "per_s": result["publications_per_s"],
            "cores": server["cores"]} | _shares(server["us_per_publication"],
                                                 result["generator_cpu"]["us_per_publication"])


def _idle(result):
    memory = result["server_memory"]
    return {"bytes_per_connection": memory["per_connection_bytes"], "before_bytes": memory["before_bytes"],
            "connected_bytes": memory["connected_bytes"]}


def _connect(result):
    connects = result["connects"]
    return {"connects_per_s": connects["per_s"], "us_per_connect": connects["server_us_per_connect"]}


def _rpc(result):
    latency, server, calls = result["latency_us"], result["server_cpu"], result["calls"]
    return {"us": calls["server_us_per_call"], "per_s": calls["per_s"], "cores": server["cores"],
            "p50": latency["p50"], "p99": latency["p99"], "p999": latency["p99.9"]} | _shares(
                calls["server_us_per_call"], result["generator_cpu"]["us_per_delivery"])
