#include "team.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace chainrule {

class Team {
  public:
    ~Team() {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread &thread : threads_)
            thread.join();
    }

    // Starts threads for a run of `count`, including the caller's, and returns how many there are.
    // There may be fewer: a system can run out of threads (a limit on processes) or of memory for
    // their stacks.
    int grow(int count) {
        try {
            while (static_cast<int>(threads_.size()) < count - 1) {
                const int index = static_cast<int>(threads_.size()) + 1;
                threads_.emplace_back([this, index, seen = generation_] { work(index, seen); });
            }
        } catch (const std::system_error &) {
        } catch (const std::bad_alloc &) {
        }
        const int found = static_cast<int>(threads_.size()) + 1;
        return found < count ? found : count;
    }

    void run(int count, void (*body)(void *, int), void *context) {
        {
            std::lock_guard lock(mutex_);
            body_ = body;
            context_ = context;
            count_ = count;
            running_ = count - 1;
            ++generation_;
        }
        wake_.notify_all();
        body(context, 0);
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return running_ == 0; });
    }

  private:
    void work(int index, long seen) {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
            if (stopping_) return;
            seen = generation_;
            if (index >= count_) continue;
            void (*body)(void *, int) = body_;
            void *context = context_;
            lock.unlock();
            body(context, index);
            lock.lock();
            if (--running_ == 0) done_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_, done_;
    std::vector<std::thread> threads_;
    void (*body_)(void *, int) = nullptr;
    void *context_ = nullptr;
    int count_ = 0, running_ = 0;
    long generation_ = 0;
    bool stopping_ = false;
};

namespace {

// The idle team, if there is one. It is never destroyed at exit: its threads keep waiting for work,
// and the system ends them with the process.
std::mutex idle_mutex;
Team *idle_team = nullptr;

#if defined(__unix__) || defined(__APPLE__)
// A forked child inherits the parent's team object but none of its threads, so it starts without
// one. The mutex may have been locked by another thread during the fork, and is created anew.
void forget_team() {
    new (&idle_mutex) std::mutex;
    idle_team = nullptr;
}
const int at_fork = pthread_atfork(nullptr, nullptr, forget_team);
#endif

} // namespace

double now_seconds() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

Workers::Workers(int wanted) {
    if (wanted <= 1) return;
    std::unique_ptr<Team> team;
    {
        std::lock_guard lock(idle_mutex);
        team.reset(idle_team);
        idle_team = nullptr;
    }
    if (!team) team.reset(new (std::nothrow) Team);
    if (!team) return;
    threads_ = team->grow(wanted);
    team_ = team.release();
}

Workers::~Workers() {
    std::unique_ptr<Team> team(team_);
    if (!team) return;
    std::lock_guard lock(idle_mutex);
    if (!idle_team) idle_team = team.release();
}

void Workers::run(void (*body)(void *, int), void *context) {
    if (threads_ > 1) {
        team_->run(threads_, body, context);
    } else {
        body(context, 0);
    }
}

namespace {

constexpr int most_looks = 200; // some 4 µs

void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace

void Barrier::wait() {
    if (count_ <= 1) return;
    const int generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
        arrived_.store(0, std::memory_order_relaxed);
        // Sequentially consistent: the number of sleepers, which notify_all reads, is then read
        // after the others can see the new generation. Otherwise one could fall asleep in between
        // for ever.
        generation_.store(generation + 1, std::memory_order_seq_cst);
        generation_.notify_all();
        return;
    }
    for (int looks = 0; looks < most_looks; ++looks) {
        if (generation_.load(std::memory_order_acquire) != generation) return;
        pause();
    }
    generation_.wait(generation, std::memory_order_acquire);
}

} // namespace chainrule
