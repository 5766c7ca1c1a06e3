// The arguments of the kernels: plain numbers and pointers, the same for every instruction set.
#pragma once

#include <cstdint>

namespace chainrule {

class ThreadChoice; // thread_choice.hpp

constexpr int most_settings = 6;

// A type by its index in a list (types.hpp), and its settings in the order of their names.
struct Choice {
    int kind = 0;
    double settings[most_settings] = {};
};

// A setting of a layer: one number or several.
struct Values {
    const double *numbers;
    int count;
    double operator[](int i) const { return numbers[i]; }
};

// A layer's array in the flat vector of parameters, row by row.
struct Block {
    long offset;
    long rows, columns;
    bool weights;    // penalised and decayed
    bool moves;      // updated by the optimizer; statistics are updated by their layer
    double rate = 1; // factor of the learning rate
    long hidden = 0; // of how many hidden matrices it consists, one above the other; 0: of none

    long count() const { return rows * columns; }
};

struct Layer {
    int kind;
    int n_in, n_out;
    Choice activation;
    const Block *blocks; // in the order of the equations; contiguous in the flat vector
    int block_count;
    const Values *settings; // in the order of the kind's names
};

// A head: some or all units of the output layer, with their activation and cost.
struct Head {
    int units;
    Choice activation, cost;
    double weight; // factor of the cost in the sum over heads
};

struct Network {
    int count;
    const Layer *layers; // the heads have the activations of the last one
    int heads;
    const Head *head;
    bool fused;
    long parameters; // length of the flat vector
};

template <typename T> struct Examples {
    const T *X;                  // (m, n[0]) rows
    const T *Y;                  // (m, n[L]) rows, or nullptr if there are classes
    const std::int32_t *classes; // (m,): the index of the output whose target is 1
    const T *weights;
    const std::int32_t *order; // row indices, or nullptr for 0, 1, …
    long count;                // examples per epoch
    long rows;                 // rows of X
    long epochs = 1;           // order holds those of all epochs; no batch spans two of them
};

// What a step minimises in addition to the cost, and the limit on the gradient's norm.
struct Objective {
    double l1 = 0, l2 = 0;
    bool shared = false;                    // P3: penalties over the batch's sum of weights
    double max_norm = __builtin_huge_val(); // G1
};

constexpr int newton_schulz_steps = 5;
constexpr int orthogonal_phases = 1 + 3 * newton_schulz_steps;

// A matrix G that is replaced by the orthogonalised one, O10: n × m, n ≤ m, or the transpose of
// such a matrix (`turned`).
template <typename T> struct Orthogonal {
    long n, m;
    bool turned;
    T *G;
    const double *squares; // Σ G² of each row
    double epsilon;
    T *memory; // of Orthogonaliser::elements, zeroed at first
    long rows() const { return turned ? m : n; }
};

// The functions that orthogonalise: phase after phase, each in blocks of rows.
template <typename T> struct Orthogonaliser {
    long (*blocks)(long n);
    long (*elements)(long n, long m);
    long (*scratch)(long n); // elements of memory for a thread
    void (*run)(const Orthogonal<T> &, int phase, long block, T *scratch);
};

template <typename T> struct Update {
    Choice optimizer;
    T *slots;                     // the optimizer's vectors, contiguous
    std::int64_t t;               // number of updates before the first step
    const double *learning_rates; // one per step
    const double *shares;         // c of WA1 for each step, if weights are averaged
    T *average;                   // average of the parameters, WA1, or nullptr
    // Orthogonalises in another precision where that is faster, or nullptr.
    const Orthogonaliser<T> *orthogonaliser = nullptr;
};

// One entry per step, with values from before its update.
struct Records {
    double *costs, *gradient_norms;
    double *penalties = nullptr; // nullptr if they are not needed
};

// A rule of early stopping on the training loss. A run ends after the first epoch whose loss is not
// finite, or with which more than `patience` consecutive epochs have not improved on the best loss
// by the tolerance.
struct LossRule {
    double best, tolerance, patience; // the best loss so far
    long stale;                       // epochs without an improvement so far
    double outputs;                   // an epoch's loss: mean cost / outputs + penalty
};

// How a training is divided between ranks: processes that compute the gradients of a share of each
// batch, and sum them before the update, which every rank makes. All ranks have the same examples,
// or each has its own only: then those of one step come after those of the step before.
template <typename T> struct Ranks {
    int rank, size;
    long examples;              // of all ranks in an epoch, if each has its own; 0 if they share
    T *message;                 // what is summed: the gradient of all parameters, then the cost
    bool (*sum)(void *context); // sums the message over the ranks, in place; false: it failed
    void *context;

    // Of n examples, the first one of a rank's share; that of `size` is n.
    long first_of(int of, long n) const { return n * of / size; }
    long share(long n) const { return first_of(rank + 1, n) - first_of(rank, n); }
    long largest_share(long n) const { return (n + size - 1) / size; }
};

template <typename T> struct Training {
    long batch_size; // of all ranks together
    Update<T> update;
    Objective objective;
    Records records;
    std::uint64_t key = 0;          // key of the steps' random numbers (dropout)
    const LossRule *rule = nullptr; // without a rule, all steps are taken
    const Ranks<T> *ranks = nullptr;

    // How many examples of a batch of n go through this process, at most.
    long own(long n) const { return ranks ? ranks->largest_share(n) : n; }
    // How many examples an epoch has, of all ranks together.
    long count(const Examples<T> &examples) const {
        return ranks && ranks->examples ? ranks->examples : examples.count;
    }
};

// Called from the calling thread about every 20 ms; if it returns true, the run stops.
using StopTest = bool (*)(void *);

struct Control {
    int threads; // number of threads; −n: at most n, and a single one if there is little work
    StopTest stop_test;
    void *stop_context;
    ThreadChoice *choice = nullptr; // measures which number is the fastest, if it may be chosen
};

enum class Outcome { done, stopped, out_of_memory, not_finite };

template <typename T> struct Kernels {
    // Returns the number of finished steps, which is smaller than requested only after a stop.
    long (*train)(const Network &, T *parameters, const Examples<T> &, const Training<T> &,
                  const Control &);
    // Returns J + penalties; gradient may be nullptr. After a stop, NaN, and *stopped is set.
    double (*loss)(const Network &, const T *parameters, const Examples<T> &, const Objective &,
                   T *gradient, const Control &, bool *stopped);
    Outcome (*forward)(const Network &, const T *parameters, const T *X, long m, T *out,
                       const Control &);
    // Applies an activation to an array, for tests: A receives σ, D receives σ′.
    void (*activation)(const Choice &, T *A, T *D, long n);
    // Whether the first layer can read m rows of X (those in `order`, or 0, 1, …): category
    // embeddings need valid codes.
    bool (*readable)(const Network &, const T *X, long m, const std::int32_t *order);
};

struct InstructionSet {
    const char *name;
    const Kernels<float> *f32;
    const Kernels<double> *f64;
    const Kernels<float> *mixed; // with bfloat16 products; nullptr if this set has none
    // Float32 products as sums of bfloat16 products; nullptr if this set has none.
    const Kernels<float> *split = nullptr;
    bool (*granted)() = nullptr; // requests from the system what they need beyond the CPU
    const Orthogonaliser<float> *orthogonaliser = nullptr; // with bfloat16 products
};

} // namespace chainrule
