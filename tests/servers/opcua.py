"""A real OPC UA server with a pump, as its own process: python -m tests.servers.opcua PORT

`P1.flow` counts up from 0 ten times a second; `P1.motor.temperature` stays at 60 degrees.
"""

from __future__ import annotations

import asyncio
import sys

from asyncua import Server, ua

NAMESPACE = "urn:plant"
STEP_SECONDS = 0.1


async def serve(port: int) -> None:
    """Until the process is ended; prints `ready` when it can be asked."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace(NAMESPACE)
    pump = await server.nodes.objects.add_object(space, "P1")
    flow = await pump.add_variable(ua.NodeId("P1.flow", space), "flow", 0.0)
    await pump.add_variable(ua.NodeId("P1.motor.temperature", space), "temperature", 60.0)
    async with server:
        print("ready", flush=True)
        count = 0
        while True:
            count += 1
            await flow.write_value(float(count))
            await asyncio.sleep(STEP_SECONDS)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
