// Threads that wait for work without spinning, and a barrier for threads that are at work.
#pragma once

namespace chainrule {

/// Seconds of a steady clock.
double now_seconds();

/// Runs body(context, i) for i = 0 … threads − 1, each in a thread of its own (0 in the caller's),
/// and returns when all are done. The threads are kept for the next call; one call runs at a time,
/// a second caller meanwhile gets a team of its own.
void run_team(int threads, void (*body)(void *, int), void *context);

/// A barrier for the `count` threads of one run: spins for some microseconds, then yields.
class Barrier {
  public:
    explicit Barrier(int count) : count_(count) {}
    void wait();

  private:
    const int count_;
    alignas(64) int arrived_ = 0;
    alignas(64) int generation_ = 0;
};

} // namespace chainrule
