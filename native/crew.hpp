// The threads of one run: their barrier, and how the run is stopped.
#pragma once

#include "plan.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace chainrule::CHAINRULE_ISA {

// One thread of the crew.
struct Member {
    int index;
    long passed = 0;                      // barriers passed so far
    long first_group = 0, last_group = 0; // this thread's groups of parameters, [first, last)
};

class Crew {
  public:
    explicit Crew(const Control &control) : control_(control) {}

    int threads() const { return threads_; }
    void engage(int threads) { threads_ = threads; }

    // Calls body(member) in every thread.
    template <typename Body> void go(Body &&body) {
        Workers workers(threads_);
        threads_ = workers.threads(); // may be fewer than asked for, with the same bits
        Barrier barrier(threads_);
        barrier_ = &barrier;
        last_test_ = now_seconds();
        workers.run(
            [](void *of, int thread) {
                Member member{thread};
                (*static_cast<std::remove_reference_t<Body> *>(of))(member);
            },
            &body);
    }

    // Thread 0 calls the stop test about every 20 ms. `work` is in multiplications: the clock is
    // only read after some 100 µs of it.
    void test_stop(const Member &self, double work) {
        if (self.index != 0 || (work_since_test_ += work) < 5e6) return;
        work_since_test_ = 0;
        const double now = now_seconds();
        if (now - last_test_ < 0.02) return;
        last_test_ = now;
        if (control_.stop_test && control_.stop_test(control_.stop_context)) wish_stop();
    }
    // Called by thread 0: all threads stop at the next barrier.
    void wish_stop() { __atomic_store_n(&stop_wished_, 1, __ATOMIC_RELAXED); }
    bool stop_wished() const { return __atomic_load_n(&stop_wished_, __ATOMIC_RELAXED) != 0; }
    bool stopped() const { return __atomic_load_n(&stop_at_, __ATOMIC_RELAXED) < never; }

    // Waits until all threads have reached this barrier. Returns false if all of them stop here.
    // Thread 0 records the number of the barrier to stop at, instead of a flag: a thread that is
    // slow to leave a barrier could otherwise see a flag that was set for the next one, stop at
    // this one, and leave the others waiting for ever.
    bool barrier(Member &self) {
        if (self.index == 0 && stop_wished() && !stopped()) {
            __atomic_store_n(&stop_at_, self.passed, __ATOMIC_RELAXED);
        }
        barrier_->wait();
        return __atomic_load_n(&stop_at_, __ATOMIC_RELAXED) > self.passed++;
    }

    // Thread i's share of n items, [first, last).
    long first_of(const Member &self, long n) const { return n * self.index / threads_; }
    long last_of(const Member &self, long n) const { return n * (self.index + 1) / threads_; }

  private:
    const Control &control_;
    int threads_ = 1;
    Barrier *barrier_ = nullptr;
    double last_test_ = 0, work_since_test_ = 0;
    static constexpr long never = 1L << 62;
    long stop_at_ = never;
    int stop_wished_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
