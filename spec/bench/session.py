# SPDX-License-Identifier: MIT
# Python's requests: one Session; with many calls in flight a thread for each.
#
# usage: session.py info|teamList URL ID COUNT IN_FLIGHT
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests

work, url, profile, count, in_flight = sys.argv[1:4] + [sys.argv[4], sys.argv[5]]
count, in_flight = int(count), int(in_flight)
url += "/profile/" + profile + ("/team" if work == "teamList" else "")

session = requests.Session()
session.trust_env = False
session.verify = os.environ["EMULATOR_CA"]
session.headers["token"] = os.environ["EMULATOR_TOKEN"]
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=in_flight))


def call(_):
    response = session.get(url, timeout=30)
    response.raise_for_status()
    assert response.json()["status"]


def peak_kb():
    with open("/proc/self/status") as file:
        return [line.split()[1] for line in file if line.startswith("VmHWM")][0]


with ThreadPoolExecutor(in_flight) as pool:
    run = map if in_flight == 1 else pool.map
    list(run(call, range(in_flight)))
    cpu, wall = time.process_time(), time.perf_counter()
    list(run(call, range(count)))
    print(time.process_time() - cpu, time.perf_counter() - wall, peak_kb())
