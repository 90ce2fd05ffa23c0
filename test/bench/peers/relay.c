/*
 * The floor under every relay of sound: two sockets for each call, each connected to its phone; what comes on the one leaves on the other.
 * No SIP, no RTP, no reports, no counters. Prints its ports in one line, reads the phones' ports from one line, both in the same order.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return at;
}

int main(int argc, char **argv) {
  int legs = argc > 1 ? 2 * atoi(argv[1]) : 0;
  int *sockets = calloc(legs, sizeof(int));
  for (int i = 0; i < legs; i++) {
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (sockets[i] < 0 || bind(sockets[i], (void *)&at, size) < 0) return perror("bind"), 1;
    getsockname(sockets[i], (void *)&at, &size);
    printf("%d ", ntohs(at.sin_port));
  }
  printf("\n");
  fflush(stdout);
  int wakeups = epoll_create1(0);
  for (int i = 0; i < legs; i++) {
    int port;
    if (scanf("%d", &port) != 1) return 1;
    struct sockaddr_in to = loopback(port);
    if (connect(sockets[i], (void *)&to, sizeof to) < 0) return perror("connect"), 1;
    struct epoll_event readable = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(wakeups, EPOLL_CTL_ADD, sockets[i], &readable);
  }
  for (;;) {
    struct epoll_event ready[64];
    int count = epoll_wait(wakeups, ready, 64, -1);
    for (int k = 0; k < count; k++) {
      char packet[2048];
      ssize_t size = recv(sockets[ready[k].data.u32], packet, sizeof packet, 0);
      if (size > 0) send(sockets[ready[k].data.u32 ^ 1], packet, size, 0);
    }
  }
}
