// How many threads the steps of a training are given: measured while it trains. Every number gives
// the same bits, so the clock may decide.
#pragma once

#include <atomic>

namespace chainrule {

/// What is known of the steps of one training. It outlives the calls that the training takes.
///
/// A training goes on in stretches. From time to time, and when steps have become slower, one is
/// tried with half or twice as many threads, and the faster number is kept.
class ThreadChoice {
  public:
    /// Takes it for one training; false if another one has it.
    bool take() { return !taken_.exchange(true, std::memory_order_acquire); }
    void give_back() { taken_.store(false, std::memory_order_release); }

    /// Prepares for at most `most` threads. What is known is kept if it is for as many. `guess`:
    /// the number to begin with, 1 or `most`.
    void begin(int most, int guess);

    /// The threads of the next stretch, and about how long it is to last, in seconds.
    int threads() const { return threads(tried()); }
    double seconds() const { return trial_ ? 0.006 : 0.01; }
    /// Seconds an example with these threads; 0 if they have not been tried.
    double expected() const { return times_[tried()]; }

    /// Records what a stretch that ended `now` has taken.
    void note(double now, double seconds_an_example);

  private:
    int threads(int number) const;
    int tried() const { return number_ + trial_; }
    void settle(double now);

    static constexpr double shortest = 0.05, longest = 0.5; // seconds between two looks
    static constexpr int most_numbers = 32;

    std::atomic<bool> taken_{false};
    int most_ = 0;
    int numbers_ = 0; // of threads: 1, 2, 4, …, most_
    int number_ = 0;  // the index of the one in use
    int trial_ = 0;   // −1 or 1: its neighbour is tried
    bool moved_ = false,
         both_ = false;               // the trials so far have changed it; the other is to be tried
    double times_[most_numbers] = {}; // seconds an example
    double usual_ = 0;                // of the number in use, when it was chosen
    double interval_ = shortest, look_ = 0, looked_ = 0;
};

} // namespace chainrule
