// The threads of one run: how they share work, their barrier, and how the run is stopped.
#pragma once

#include <cstdlib>

#include "memory.hpp"
#include "plan.hpp"
#include "simd.hpp"
#include "team.hpp"

namespace chainrule::CHAINRULE_ISA {

// One thread of the crew.
struct Member {
    int index;
    long passed = 0; // barriers passed so far
};

class Crew {
  public:
    explicit Crew(const Control &control) : control_(control) {}
    Crew(const Crew &) = delete;
    ~Crew() { std::free(counters_); }

    // The threads at work, and how many there may be.
    int threads() const { return threads_; }
    int most_threads() const { return most_threads_; }

    // Sets how many threads there may be. Returns false if out of memory.
    bool engage(int most) {
        threads_ = most_threads_ = most;
        if (most == 1) return true;
        counters_ = allocate<Counter>(phases * most);
        return counters_ != nullptr;
    }

    // Calls body(member) in each of `threads` threads.
    template <typename Body> void go(int threads, Body &&body) {
        Workers workers(threads);
        threads_ = workers.threads(); // may be fewer than asked for, with the same bits
        for (int phase = 0; threads_ > 1 && phase < phases; ++phase)
            clear(phase);
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
    template <typename Body> void go(Body &&body) { go(most_threads_, body); }

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
        // The counters of the phase before this one, which everybody has left, serve the phase
        // after the next.
        if (self.index == 0 && threads_ > 1) clear(self.passed + 2);
        barrier_->wait();
        return __atomic_load_n(&stop_at_, __ATOMIC_RELAXED) > self.passed++;
    }

    // Thread i's share of n items, [first, last).
    long first_of(const Member &self, long n) const { return share_of(self.index, n); }
    long last_of(const Member &self, long n) const { return share_of(self.index + 1, n); }

    // Calls f(item) once for each item of [0, n) in some thread, at most once between two barriers.
    // A thread takes its own share first, [first(i), first(i + 1)), whose data are in its caches
    // from the last step, and then what others have not begun. Ends where f returns false.
    template <typename First, typename F>
    void distribute(const Member &self, First &&first, F &&f) {
        if (threads_ == 1) {
            for (long i = first(0); i < first(1); ++i)
                if (!f(i)) return;
            return;
        }
        Counter *counters = counters_ + self.passed % phases * threads_;
        for (int k = 0; k < threads_; ++k) {
            const int whose = (self.index + k) % threads_;
            const long begin = first(whose), end = first(whose + 1);
            for (;;) {
                if (begin + __atomic_load_n(&counters[whose].taken, __ATOMIC_RELAXED) >= end) break;
                const long i =
                    begin + __atomic_fetch_add(&counters[whose].taken, 1L, __ATOMIC_RELAXED);
                if (i >= end) break;
                if (!f(i)) return;
            }
        }
    }
    template <typename F> void distribute(const Member &self, long n, F &&f) {
        distribute(self, [&](int thread) { return share_of(thread, n); }, f);
    }

  private:
    // How many items of a thread's share are taken, in a cache line of its own.
    struct alignas(64) Counter {
        long taken;
    };
    static constexpr int phases = 3; // the one between the last two barriers, and its neighbours

    long share_of(int thread, long n) const { return n * thread / threads_; }
    void clear(long phase) {
        for (int i = 0; i < threads_; ++i)
            __atomic_store_n(&counters_[phase % phases * threads_ + i].taken, 0L, __ATOMIC_RELAXED);
    }

    const Control &control_;
    int threads_ = 1, most_threads_ = 1;
    Counter *counters_ = nullptr;
    Barrier *barrier_ = nullptr;
    double last_test_ = 0, work_since_test_ = 0;
    static constexpr long never = 1L << 62;
    long stop_at_ = never;
    int stop_wished_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
