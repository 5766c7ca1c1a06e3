// Phase 2 of a step: the gradient of a group of parameters over all panels, and its update.
#pragma once

#include "layers/table.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> class Groups {
    using Opt = Optimizers<T, BYTES>;
    using C = Context<T, BYTES>;

  public:
    explicit Groups(const C &context) : c_(context) {}

    // Where a group's weights and biases begin in the flat vector, and how many there are.
    struct Slices {
        long W, b, weights, biases;
        bool adjacent;
    };
    Slices slices(const Group &group) const {
        const Layer &layer = c_.net.layers[group.layer];
        if (layer.kind == batch_norm) // all of it alike: no penalty, no decay
            return {layer.begin, layer.begin, 0, 4l * layer.n_out, true};
        if (layer.kind == category_embedding) { // alike too
            const TableRows rows(layer, group);
            const long at = layer.begin + rows.at;
            return {at, at, 0, (group.end - group.begin) * rows.table->dimension, true};
        }
        const long units = group.end - group.begin, n = layer.n_in;
        const long b = layer.begin + n * layer.n_out;
        return {layer.begin + group.begin * n, b + group.begin, units * n, units,
                units == layer.n_out};
    }

    // Penalty and optimizer on a group whose gradient lies at gW and gb. Returns Σ g².
    double update(const Group &group, const Update<T> &update, const StepNumbers<T> &numbers,
                  const T *gW, const T *gb) const {
        const Slices s = slices(group);
        const bool alike = numbers.l1 == T(0) && numbers.l2 == T(0) && numbers.decay == T(0);
        if (s.adjacent && gb == gW + s.weights && alike)
            return slice(update, numbers, s.W, gW, s.weights + s.biases, false);
        return slice(update, numbers, s.W, gW, s.weights, true) +
               slice(update, numbers, s.b, gb, s.biases, false);
    }

    // Σ g² of a group of the whole gradient, penalties included.
    double squares(const Group &group, const T *gradient, const StepNumbers<T> &numbers) const {
        const Slices s = slices(group);
        return Opt::squares(c_.theta + s.W, gradient + s.W, s.weights, numbers, true) +
               Opt::squares(c_.theta + s.b, gradient + s.b, s.biases, numbers, false);
    }

    // Put a group's gradient into the whole one, or add it there.
    void keep(const Group &group, const T *arena, T *gradient, bool fresh) const {
        const Slices s = slices(group);
        T *W = gradient + s.W, *b = gradient + s.b;
        for (long i = 0; i < s.weights; ++i)
            W[i] = fresh ? arena[i] : W[i] + arena[i];
        for (long r = 0; r < s.biases; ++r)
            b[r] = fresh ? arena[s.weights + r] : b[r] + arena[s.weights + r];
    }

    // How many weights of a dense layer take as long as a group does.
    double elements(long g) const {
        const Group &group = c_.ws.groups[g];
        const Slices s = slices(group);
        if (c_.net.layers[group.layer].kind != category_embedding) return double(s.weights);
        constexpr double update = Workspace<T, BYTES>::update_work;
        return double(s.biases) * update / (update + double(c_.ws.usual_batch));
    }

    // The first group of a thread: each has about its share of the elements.
    long first_of(int thread, int threads) const {
        if (thread <= 0) return 0;
        double total = 0, seen = 0;
        for (long g = 0; g < c_.ws.group_count; ++g)
            total += elements(g);
        for (long g = 0; g < c_.ws.group_count && thread < threads; ++g) {
            if ((seen += elements(g)) > total * thread / threads) return g;
        }
        return c_.ws.group_count;
    }

  private:
    double slice(const Update<T> &update, const StepNumbers<T> &numbers, long at, const T *g,
                 long count, bool weights) const {
        T *const *slots = update.slots;
        return Opt::run(update.kind, c_.theta + at, g, slots[0] ? slots[0] + at : nullptr,
                        slots[1] ? slots[1] + at : nullptr, count, numbers, weights);
    }

    const C &c_;
};

} // namespace chainrule::CHAINRULE_ISA
