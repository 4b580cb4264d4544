/*
 * The limit for control sessions of make bench: a TLS server that does nothing but
 * the handshake. One process, one connection after the other.
 *
 *   bare PORT CERTIFICATE KEY
 */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static SSL_CTX *load(const char *certificate, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 || SSL_CTX_set_num_tickets(ctx, 0) != 1)
		die("certificate");
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	return ctx;
}

static void serve(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char byte;

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		die("SSL_new");
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, &byte, 1) <= 0)
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL_CTX *ctx;

	if (argc != 4) {
		fputs("usage: bare PORT CERTIFICATE KEY\n", stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	ctx = load(argv[2], argv[3]);
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == -1 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, 1024) == -1)
		die("listen");
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client != -1)
			serve(ctx, client);
	}
}
