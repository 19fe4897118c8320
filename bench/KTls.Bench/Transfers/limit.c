// The least that a transfer through kernel TLS costs: fixed keys, no handshake, nothing but the calls that move the data.
//   limit sender            writes its port; for each line "SIZE COUNT write|FILE" takes a connection, waits for a byte, and
//                           sends COUNT times SIZE bytes, from memory or by sendfile from FILE
//   limit receiver          for each line "PORT SIZE COUNT BUFFER" connects, writes "ready", waits for a line, sends a byte,
//                           and writes how many bytes came
#include <arpa/inet.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <unistd.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TLS_RX_EXPECT_NO_PAD
#define TLS_RX_EXPECT_NO_PAD 4
#endif

static void check(int ok, const char *what) {
  if (!ok) {
    perror(what);
    exit(1);
  }
}

static void start_tls(int fd, int direction) {
  // The same made-up keys on both ends; they protect nothing.
  struct tls12_crypto_info_aes_gcm_128 keys = {
      .info = {.version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128}};
  memset(keys.key, 1, sizeof keys.key);
  int one = 1;
  check(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof "tls") == 0, "TCP_ULP");
  check(setsockopt(fd, SOL_TLS, direction, &keys, sizeof keys) == 0, "keys");
  if (direction == TLS_RX) setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &one, sizeof one);
}

static void send_all(int fd, const char *buffer, size_t size) {
  while (size != 0) {
    ssize_t sent = send(fd, buffer, size, 0);
    check(sent > 0, "send");
    buffer += sent;
    size -= sent;
  }
}

static void send_file(int fd, int file, size_t size) {
  off_t offset = 0;
  while ((size_t)offset != size) check(sendfile(fd, file, &offset, size - offset) > 0, "sendfile");
}

static void run_sender(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0, "listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  size_t size;
  long count;
  char source[4096], byte;
  while (scanf("%zu %ld %4095s", &size, &count, source) == 3) {
    int fd = accept(listener, NULL, NULL);
    setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof one);
    start_tls(fd, TLS_TX);
    check(recv(fd, &byte, 1, 0) == 1, "recv");
    if (strcmp(source, "write") == 0) {
      char *buffer = malloc(size);
      memset(buffer, 1, size);
      for (; count != 0; count--) send_all(fd, buffer, size);
      free(buffer);
    } else {
      for (; count != 0; count--) {
        int file = open(source, O_RDONLY);
        check(file >= 0, source);
        send_file(fd, file, size);
        close(file);
      }
    }
    // The other end closes first.
    recv(fd, &byte, 1, 0);
    close(fd);
  }
}

static void run_receiver(void) {
  int port, one = 1;
  long size, count, room;
  char line[256];
  while (fgets(line, sizeof line, stdin) && sscanf(line, "%d %ld %ld %ld", &port, &size, &count, &room) == 4) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof one);
    start_tls(fd, TLS_RX);
    puts("ready");
    fflush(stdout);
    fgets(line, sizeof line, stdin);
    check(send(fd, "g", 1, 0) == 1, "send");
    char *buffer = malloc(room);
    long received = 0;
    while (received != size * count) {
      ssize_t read = recv(fd, buffer, room, 0);
      check(read > 0, "recv");
      received += read;
    }
    printf("%ld\n", received);
    fflush(stdout);
    free(buffer);
    close(fd);
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "sender") == 0) run_sender();
  else if (argc == 2 && strcmp(argv[1], "receiver") == 0) run_receiver();
  else return 2;
  return 0;
}
