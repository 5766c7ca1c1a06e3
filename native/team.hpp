// Threads that sleep while they wait for work, and a barrier that spins for threads at work.
#pragma once

#include <atomic>

namespace chainrule {

/// Seconds of a steady clock.
double now_seconds();

class Team;

/// The threads of one run: those kept from the last run, and new ones. A concurrent caller gets
/// threads of its own.
class Workers {
  public:
    /// `wanted` threads, including the caller's, or as many as the system can provide.
    explicit Workers(int wanted);
    ~Workers();
    Workers(const Workers &) = delete;

    int threads() const { return threads_; }

    /// Runs body(context, i) for i = 0 … threads() − 1, each in a thread of its own (0 in the
    /// caller's), and returns when all are done.
    void run(void (*body)(void *, int), void *context);

  private:
    Team *team_ = nullptr; // nullptr if the caller's thread is the only one
    int threads_ = 1;
};

/// A barrier for the `count` threads of one run. Who waits looks at it for some microseconds and
/// then sleeps: where another process wants the core, a thread that kept looking would hold it up,
/// and with it the thread that everybody waits for.
class Barrier {
  public:
    explicit Barrier(int count) : count_(count) {}
    void wait();

  private:
    const int count_;
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<int> generation_{0};
};

} // namespace chainrule
