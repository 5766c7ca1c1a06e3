// The division of the parameters into groups: neighbouring rows of a layer's blocks, which one
// thread updates together.
#pragma once

#include <cstdlib>

#include "memory.hpp"
#include "plan.hpp"

namespace chainrule::CHAINRULE_ISA {

// Neighbouring parameters that are updated in the same way.
struct Slice {
    long at;       // offset in the flat vector
    long in_group; // offset in the group, whose slices follow each other
    long count;
    bool weights, moves;
    double rate;
    long row; // numbers in a row, of a hidden matrix; else 0
};

// Rows [begin, end) of neighbouring blocks of a layer: the incoming weights of some units with the
// units' biases, or some rows of an embedding table.
struct Group {
    int layer; // counted from 0
    int block, blocks;
    long begin, end;
    double work; // multiplications per example
    long slice, slices;
    long at; // offset in an array of all groups' gradients, one after the other

    // l, counted from 1, as everywhere else.
    int l() const { return layer + 1; }
};

class Groups {
  public:
    Groups() = default;
    Groups(const Groups &) = delete;
    ~Groups() {
        std::free(group_);
        std::free(slice_);
        std::free(shares_);
        std::free(squares);
        std::free(penalties);
    }

    // Returns false if out of memory. `Kinds` is the table of layer kinds (layers/table.hpp), which
    // determines how a layer is divided. `spare`: elements that a gradient's last row may write
    // beyond its end.
    template <typename Kinds> bool prepare(const Network &net, long batch, long spare) {
        // Two passes over the same division: count, allocate, fill.
        long slices = 0;
        each<Kinds>(net, [&](int, int, int blocks, long, long) {
            ++count_;
            slices += blocks;
        });
        group_ = allocate<Group>(count_);
        slice_ = allocate<Slice>(slices);
        squares = allocate<double>(count_);
        penalties = allocate<double>(count_);
        if (!group_ || !slice_ || !squares || !penalties) return false;
        Group *group = group_;
        long at = 0;
        each<Kinds>(net, [&](int layer, int block, int blocks, long begin, long end) {
            *group = {layer, block, blocks, begin, end, 0, at, 0, elements_};
            cut(net.layers[layer], *group);
            at += group->slices;
            group->work = Kinds::group_work(net.layers[layer], *group, batch);
            work_ += group->work;
            elements_ += rounded_up(elements(*group) + spare, 64);
            largest_ = larger(largest_, elements(*group));
            ++group;
        });
        return true;
    }

    long count() const { return count_; }
    long largest() const { return largest_; }   // elements
    long elements() const { return elements_; } // of the array of all groups' gradients
    const Group &operator[](long g) const { return group_[g]; }
    const Slice *begin(const Group &group) const { return slice_ + group.slice; }
    const Slice *end(const Group &group) const { return begin(group) + group.slices; }

    // The elements of a group's gradient.
    long elements(const Group &group) const {
        const Slice *last = end(group) - 1;
        return last->in_group + last->count;
    }

    // Divides the groups among 1 to `most` threads. Returns false if out of memory.
    bool share(int most) {
        most_ = most;
        shares_ = allocate<long>(long(most) * (most + 1));
        for (int threads = 1; shares_ && threads <= most; ++threads)
            for (int thread = 0; thread <= threads; ++thread)
                shares_[(threads - 1) * (most + 1) + thread] = begun_by(thread, threads);
        return shares_ != nullptr;
    }

    // The first group of a thread's share. Shares are about equal work; which thread updates a
    // group does not affect its bits.
    long first_of(int thread, int threads) const {
        return shares_[(threads - 1) * (most_ + 1) + thread];
    }
    // Per group, recorded by a step's updates: Σ g², and the penalties.
    double *squares = nullptr, *penalties = nullptr;

  private:
    long begun_by(int thread, int threads) const {
        if (thread <= 0) return 0;
        double seen = 0;
        for (long g = 0; g < count_ && thread < threads; ++g) {
            if ((seen += group_[g].work) > work_ * thread / threads) return g;
        }
        return count_;
    }

    template <typename Kinds, typename F> static void each(const Network &net, F &&f) {
        for (int layer = 0; layer < net.count; ++layer)
            Kinds::divide(net.layers[layer], [&](int block, int blocks, long begin, long end) {
                f(layer, block, blocks, begin, end);
            });
    }

    // Divides a group into slices: one per block, but neighbours that are updated alike are merged,
    // since an optimizer is faster on one long slice.
    void cut(const Layer &layer, Group &group) {
        Slice *const first = slice_ + group.slice;
        long in_group = 0;
        for (int b = group.block; b < group.block + group.blocks; ++b) {
            const Block &block = layer.blocks[b];
            const long at = block.offset + group.begin * block.columns;
            const long count = (group.end - group.begin) * block.columns;
            Slice *const last = first + group.slices - 1;
            if (group.slices && last->weights == block.weights && last->moves == block.moves &&
                last->rate == block.rate && !last->row && !block.hidden &&
                last->at + last->count == at) {
                last->count += count;
            } else {
                first[group.slices++] = {at,
                                         in_group,
                                         count,
                                         block.weights,
                                         block.moves,
                                         block.rate,
                                         block.hidden ? block.columns : 0};
            }
            in_group += count;
        }
    }

    Group *group_ = nullptr;
    Slice *slice_ = nullptr;
    long count_ = 0, largest_ = 0, elements_ = 0;
    double work_ = 0;
    long *shares_ = nullptr; // a row for each number of threads
    int most_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
