#include "thread_choice.hpp"

#include <algorithm>

namespace chainrule {

int ThreadChoice::threads(int number) const {
    return number >= numbers_ - 1 ? most_ : 1 << number;
}

void ThreadChoice::begin(int most, int guess) {
    trial_ = 0;
    if (most == most_) return;
    most_ = most;
    numbers_ = 1;
    while (numbers_ < most_numbers && 1 << (numbers_ - 1) < most)
        ++numbers_;
    number_ = guess == 1 ? 0 : numbers_ - 1;
    std::fill(times_, times_ + most_numbers, 0.0);
    usual_ = look_ = 0;
    interval_ = shortest;
}

void ThreadChoice::note(double now, double seconds_an_example) {
    double &time = times_[tried()];
    const double before = time;
    time = seconds_an_example;
    // The first steps also wake threads and touch memory.
    if (before == 0) return;
    if (trial_ == 0) {
        time = (before + seconds_an_example) / 2;
        if (usual_ == 0) usual_ = time;
        const bool slower = time > 1.3 * usual_ && now > looked_ + shortest;
        if (numbers_ == 1 || !(slower || now > look_)) return;
        looked_ = now;
        moved_ = false;
        trial_ = number_ + 1 < numbers_ ? 1 : -1;
        both_ = trial_ == 1 && number_ > 0;
        return;
    }
    if (time < 0.98 * times_[number_]) {
        number_ += trial_;
        moved_ = true;
        const int next = number_ + trial_;
        if (next < 0 || next >= numbers_) settle(now);
    } else if (both_ && !moved_) {
        both_ = false;
        trial_ = -1;
    } else {
        settle(now);
    }
}

void ThreadChoice::settle(double now) {
    trial_ = 0;
    usual_ = times_[number_];
    interval_ = moved_ ? shortest : std::min(2 * interval_, longest);
    look_ = now + interval_;
}

} // namespace chainrule
