// Makes a program that waits for sockets ask again and again instead of sleeping, and say at its end
// how long it had nothing to do. For programs that wait in one thread, as wrk does for each of its.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

static double idle_ms;

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout_ms) {
  static int (*ask)(int, struct epoll_event *, int, int);
  if (!ask) ask = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
  int found = ask(epoll, events, most, 0);
  if (found != 0 || timeout_ms == 0) return found;
  double start_ms = now_ms(), last_ms = start_ms;
  do {
    found = ask(epoll, events, most, 0);
    if (found == 0) last_ms = now_ms();
  } while (found == 0 && (timeout_ms < 0 || last_ms - start_ms < timeout_ms));
  idle_ms += last_ms - start_ms;
  return found;
}

__attribute__((destructor)) static void say(void) {
  if (idle_ms > 0) fprintf(stderr, "IDLE_MS %.0f\n", idle_ms);
}
