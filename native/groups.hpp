// The parameters in groups: neighbouring rows of a layer's blocks, which a thread handles at a
// time.
#pragma once

#include <cstdlib>

#include "memory.hpp"
#include "plan.hpp"

namespace chainrule::CHAINRULE_ISA {

// Neighbouring parameters that updates treat alike.
struct Slice {
    long at;       // in the flat vector
    long in_group; // the same among the group's own, one slice after the other
    long count;
    bool weights, moves;
    double rate;
};

// Rows [begin, end) of some of a layer's blocks: the weights into some units, and those units'
// biases; some rows of a table.
struct Group {
    int layer; // counted from 0
    int block, blocks;
    long begin, end;
    double work; // in multiplications of one example
    long slice, slices;

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
        std::free(squares);
        std::free(penalties);
    }

    // False: out of memory. `Kinds` is the table of layer kinds (layers/table.hpp), which knows how
    // a layer is divided.
    template <typename Kinds> bool prepare(const Network &net, long batch) {
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
            *group = {layer, block, blocks, begin, end, 0, at, 0};
            cut(net.layers[layer], *group);
            at += group->slices;
            group->work = Kinds::group_work(net.layers[layer], *group, batch);
            work_ += group->work;
            largest_ = larger(largest_, elements(*group));
            ++group;
        });
        return true;
    }

    long count() const { return count_; }
    long largest() const { return largest_; } // elements
    const Group &operator[](long g) const { return group_[g]; }
    const Slice *begin(const Group &group) const { return slice_ + group.slice; }
    const Slice *end(const Group &group) const { return begin(group) + group.slices; }

    // The first group of a thread: each has about its share of the work.
    long first_of(int thread, int threads) const {
        if (thread <= 0) return 0;
        double seen = 0;
        for (long g = 0; g < count_ && thread < threads; ++g) {
            if ((seen += group_[g].work) > work_ * thread / threads) return g;
        }
        return count_;
    }

    // What a step's updates note of each group.
    double *squares = nullptr, *penalties = nullptr;

  private:
    template <typename Kinds, typename F> static void each(const Network &net, F &&f) {
        for (int layer = 0; layer < net.count; ++layer)
            Kinds::divide(net.layers[layer], [&](int block, int blocks, long begin, long end) {
                f(layer, block, blocks, begin, end);
            });
    }

    // The slices of a group: of each block one, neighbours that are alike together.
    void cut(const Layer &layer, Group &group) {
        Slice *const first = slice_ + group.slice;
        long in_group = 0;
        for (int b = group.block; b < group.block + group.blocks; ++b) {
            const Block &block = layer.blocks[b];
            const long at = block.offset + group.begin * block.columns;
            const long count = (group.end - group.begin) * block.columns;
            Slice *const last = first + group.slices - 1;
            if (group.slices && last->weights == block.weights && last->moves == block.moves &&
                last->rate == block.rate && last->at + last->count == at) {
                last->count += count;
            } else {
                first[group.slices++] = {at,          in_group,  count, block.weights,
                                         block.moves, block.rate};
            }
            in_group += count;
        }
    }

    long elements(const Group &group) const {
        const Slice *last = end(group) - 1;
        return last->in_group + last->count;
    }

    Group *group_ = nullptr;
    Slice *slice_ = nullptr;
    long count_ = 0, largest_ = 0;
    double work_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
