"""What script_clients.py asks aioftp's client to do."""
import asyncio
import json
import logging
import ssl
import sys

import aioftp


async def main(job):
    context = None if job["listener"] == "clear" else ssl.create_default_context(cafile=job["ca"])
    client = aioftp.Client(ssl=context, socket_timeout=job["timeout"], passive_commands=[job["mode"].lower()])
    await client.connect(job["host"], job["port"])
    await client.login(job["user"], job["password"])
    for verb, remote, local in job["steps"]:
        if verb == "put":
            await client.upload(local, remote, write_into=True)
        if verb == "get":
            await client.download(remote, local, write_into=True)
    await client.quit()


logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="> %(message)s")
asyncio.run(main(json.loads(sys.argv[1])))
