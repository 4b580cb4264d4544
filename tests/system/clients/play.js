// What script_clients.py asks basic-ftp to do.
const fs = require('fs');
const { Writable } = require('stream');
const job = JSON.parse(process.argv[2]);
const library = require(job.library);
const transfer = require(job.library + '/dist/transfer');

const secure = { clear: false, explicit: true, implicit: 'implicit' }[job.listener];
const options = { host: job.host, port: job.port, user: job.user, password: job.password, secure };

async function main() {
	const client = new library.Client(job.timeout * 1000);
	client.ftp.verbose = true;
	if (job.mode === 'PASV')
		client.prepareTransfer = transfer.enterPassiveModeIPv4;
	const connect = () => client.access({ ...options, secureOptions: { ca: [fs.readFileSync(job.ca)] } });
	await connect();
	for (const [verb, remote, local] of job.steps) {
		if (verb === 'put')
			await client.uploadFrom(local, remote);
		if (verb === 'get')
			await client.downloadTo(local, remote);
		if (verb === 'close') { // the only way in which this library stops a transfer
			let bytes = 0;
			const stop = new Writable({
				write(piece, _, done) {
					bytes += piece.length;
					if (bytes > job.bytes)
						client.close();
					done();
				},
			});
			const ended = await client.downloadTo(stop, remote).then(() => 'whole', () => 'stopped');
			if (ended !== 'stopped')
				throw new Error(`${remote} was not stopped in the middle`);
			await connect();
		}
	}
	client.close();
}
main().catch((fault) => { console.error(fault); process.exit(1); });
