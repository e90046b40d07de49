"""Serves one model file over HTTP on the loopback interface, until it is told to stop.

The server is llama.cpp's own, as the package xllamacpp carries it. What this file adds: it listens on no other interface,
says where it listens in a file that a shell can read, once it does, and ends with its parent if it is asked to.

    server.py --model FILE --state FILE [--context TOKENS] [--threads N] [--port N] [--with-parent PID]
"""

import argparse
import ctypes
import os
import signal
import sys
import threading

# Of Linux's prctl(2): the signal a process gets when its parent has ended.
PR_SET_PDEATHSIG = 1
# How far it stands back for everything else on the machine, of 19.
NICE = 10
# What requests call the model.
NAME = "local"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--with-parent", type=int, metavar="PID")
    return parser.parse_args()


def end_with_parent(parent):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit("cannot ask to end with the parent: " + os.strerror(ctypes.get_errno()))
    # It may have ended before this was asked for.
    if os.getppid() != parent:
        sys.exit("the parent has ended")


def parameters(asked):
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = asked.model
    wanted.model_alias = {NAME}
    wanted.hostnames = ["127.0.0.1"]
    # Nought lets the system choose one that is free.
    wanted.port = asked.port
    wanted.n_ctx = asked.context
    # One request at a time has the whole context and both cores; others wait.
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = asked.threads
    wanted.cpuparams_batch.n_threads = asked.threads
    wanted.cache_prompt = True
    # A prompt that does not fit is an error, never cut in silence.
    wanted.ctx_shift = False
    wanted.ui = False
    # Prompts of cases that have ended are not worth gigabytes.
    wanted.cache_ram_mib = 512
    return wanted


def main():
    asked = arguments()
    # It may share the machine with the system whose faults it is asked about, and must not be one.
    os.nice(NICE)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if asked.with_parent is not None:
        end_with_parent(asked.with_parent)

    import xllamacpp

    server = xllamacpp.Server(parameters(asked))
    state = {
        "OPERATOR_LLM_URL": server.listening_address,
        "OPERATOR_LLM_MODEL": NAME,
        "OPERATOR_LLM_PID": os.getpid(),
    }
    part = asked.state + ".part"
    with open(part, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in state.items())
    os.replace(part, asked.state)
    stop.wait()
    os.remove(asked.state)
    # The server has threads of its own that nothing here can end.
    os._exit(0)


if __name__ == "__main__":
    main()
