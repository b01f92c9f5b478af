/*
 * A job, or a row of them, on a thread of its own. A module's init function can sleep for seconds inside finit_module(2); libuv's pool has four threads,
 * which all of Node's file calls share, so four slow drivers would stop the whole daemon. Hence detached threads, outside the pool.
 * A thread that has done its job waits a moment for another: making one anew for each of thousands of files costs more than handing over.
 * Jobs of a row that do not need one another run side by side: the first thread of a row has others help it while processors are idle.
 * Jobs that compute and wait for nobody share as many threads as there are processors, each of which goes from one to the next: more would
 * only take processors, and what these have cached, from one another.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* The loader's queue in TypeScript keeps far below this; it bounds what a mistake there can cost. */
#define ROWS_MAX 256U
/* The calls run on the kernel's stack, and liblzma keeps its tables on the heap. AddressSanitizer needs the room. */
#define THREAD_STACK_BYTES (512U * 1024U)
/* How long a thread without a job waits for one: several times what passes between two files. */
#define THREAD_IDLE_MS 20L

/* Jobs handed to threads that wait, of all environments; never more than there are such threads. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct job *first;
  unsigned jobs;
  unsigned waiting;
} handed = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* Jobs that compute, of all environments, and how many threads do. */
static struct {
  pthread_mutex_t mutex;
  struct job *first;
  struct job *last;
  unsigned threads;
} computed = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* A machine that does not say has one. */
static unsigned processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* The next job of a thread that computes; NULL when there is none, and it is no such thread any more. */
static struct job *next_computed(void) {
  pthread_mutex_lock(&computed.mutex);
  struct job *job = computed.first;
  if (job != NULL) computed.first = job->next;
  else computed.threads -= 1;
  pthread_mutex_unlock(&computed.mutex);
  return job;
}

/* Gives a job to a thread that waits; false when none does. */
static bool hand_to_waiting(struct job *job) {
  pthread_mutex_lock(&handed.mutex);
  bool is_handed = handed.waiting > handed.jobs;
  if (is_handed) {
    job->next = handed.first;
    handed.first = job;
    handed.jobs += 1;
    pthread_cond_signal(&handed.wake);
  }
  pthread_mutex_unlock(&handed.mutex);
  return is_handed;
}

/* The next job of a thread that has done one; NULL when none has come for a while. */
static struct job *wait_for_job(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += THREAD_IDLE_MS * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    until.tv_sec += 1;
  }
  pthread_mutex_lock(&handed.mutex);
  handed.waiting += 1;
  int error = 0;
  while (handed.first == NULL && error == 0) error = pthread_cond_timedwait(&handed.wake, &handed.mutex, &until);
  handed.waiting -= 1;
  struct job *job = handed.first;
  if (job != NULL) {
    handed.first = job->next;
    handed.jobs -= 1;
  }
  pthread_mutex_unlock(&handed.mutex);
  return job;
}

/* One job of a row, as long as the row is there; the job itself goes once it is answered. */
struct place {
  struct job *job;
  /* How many of those it needs are not done. */
  uint32_t waits_for;
  bool is_begun;
};

/* Jobs that were started together. */
struct row {
  pthread_mutex_t mutex;
  /* Jobs that are not released; the row goes with the last. */
  atomic_uint left;
  /* Of the event loop alone. */
  uint32_t settled;
  uint32_t count;
  uint32_t need_count;
  bool is_over;
  struct place *places;
  struct need *needs;
};

/* Threads beside the first of their row, of all rows. */
static atomic_uint beside;

static void row_free(struct row *row) {
  pthread_mutex_destroy(&row->mutex);
  free(row->places);
  free(row->needs);
  free(row);
}

static void job_drop(struct job *job) {
  struct row *row = job->row;
  job->release(job);
  if (row != NULL && atomic_fetch_sub(&row->left, 1) == 1) row_free(row);
}

static void settle(napi_env env, napi_value function, void *context, void *data) {
  (void)function;
  (void)context;
  struct job *job = data;
  /* Without an environment the process is on its way out: there is nobody left to answer. */
  if (env != NULL) {
    struct addon *addon = job->addon;
    job->row->settled += 1;
    if (job->row->settled == job->row->count) addon->running_rows -= 1;
    if (addon->running_rows == 0) napi_unref_threadsafe_function(env, addon->finished);
    napi_value answer = job->answer(env, job);
    if (answer != NULL) {
      napi_resolve_deferred(env, job->deferred, answer);
    } else {
      napi_value message = NULL;
      napi_value error = NULL;
      napi_create_string_utf8(env, "usherd addon: out of memory", NAPI_AUTO_LENGTH, &message);
      napi_create_error(env, NULL, message, &error);
      napi_reject_deferred(env, job->deferred, error);
    }
  }
  job_drop(job);
}

void jobs_release(struct job *const *jobs, uint32_t count) {
  for (uint32_t at = 0; at < count; at++) job_drop(jobs[at]);
}

static int spawn(struct job *job);

static void begin(struct row *row, struct place *place) {
  place->is_begun = true;
  place->job->is_over = row->is_over;
}

/* Has another thread do a job of the row, while processors are idle; false where none can be had. The row is locked. */
static bool begin_beside(struct row *row, struct place *place) {
  struct job *job = place->job;
  if (atomic_fetch_add(&beside, 1) + 1 < processors() &&
      napi_acquire_threadsafe_function(job->finished) == napi_ok) {
    begin(row, place);
    job->is_beside = true;
    if (spawn(job) == 0) return true;
    place->is_begun = false;
    job->is_beside = false;
    napi_release_threadsafe_function(job->finished, napi_tsfn_release);
  }
  atomic_fetch_sub(&beside, 1);
  return false;
}

/*
 * Begins the jobs that can begin, of a row that is locked → the one its thread goes on with: `mine`, or where that is NULL the first;
 * NULL when there is none. The others go beside it; what finds no thread is taken by whoever of the row is done next.
 */
static struct job *begin_ready(struct row *row, struct job *mine) {
  for (struct place *place = row->places; place < row->places + row->count; place++) {
    if (place->is_begun || place->waits_for > 0) continue;
    if (mine == NULL) {
      begin(row, place);
      mine = place->job;
    } else if (!begin_beside(row, place)) {
      break;
    }
  }
  return mine;
}

/* Notes that a job is done → the one its thread goes on with, or NULL. */
static struct job *job_after(struct job *job) {
  struct row *row = job->row;
  pthread_mutex_lock(&row->mutex);
  row->is_over = row->is_over || job->is_over;
  for (uint32_t at = 0; at < row->need_count; at++)
    if (row->needs[at].needed == job->place) row->places[row->needs[at].job].waits_for -= 1;
  struct job *after = begin_ready(row, NULL);
  pthread_mutex_unlock(&row->mutex);
  return after;
}

/* Nobody is left to answer: what of the job's row nobody has begun goes with it. */
static void give_up(struct job *job) {
  struct row *row = job->row;
  pthread_mutex_lock(&row->mutex);
  for (struct place *place = row->places; place < row->places + row->count; place++) {
    if (place->is_begun) continue;
    place->is_begun = true;
    job_drop(place->job);
  }
  pthread_mutex_unlock(&row->mutex);
  job_drop(job);
}

static void run_row(struct job *job) {
  napi_threadsafe_function finished = job->finished;
  const bool is_beside = job->is_beside;
  if (!is_beside) {
    pthread_mutex_lock(&job->row->mutex);
    begin_ready(job->row, job);
    pthread_mutex_unlock(&job->row->mutex);
  }
  while (job != NULL) {
    job->run(job);
    struct job *after = job_after(job);
    /* On napi_closing Node has given our hold on the function back already, and it must not be touched again. */
    if (napi_call_threadsafe_function(finished, job, napi_tsfn_blocking) != napi_ok) {
      if (after != NULL) job_drop(after);
      give_up(job);
      finished = NULL;
      after = NULL;
    }
    job = after;
  }
  if (finished != NULL) napi_release_threadsafe_function(finished, napi_tsfn_release);
  if (is_beside) atomic_fetch_sub(&beside, 1);
}

static void *thread_main(void *data) {
  for (struct job *job = data; job != NULL; job = wait_for_job()) {
    bool computes = job->computes;
    run_row(job);
    while (computes && (job = next_computed()) != NULL) run_row(job);
  }
  return NULL;
}

static bool make_finished(napi_env env, struct addon *addon) {
  if (addon->finished != NULL) return true;
  napi_value name = NULL;
  if (napi_create_string_utf8(env, "usherd:thread", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, settle, &addon->finished) !=
      napi_ok) {
    addon->finished = NULL;
    return false;
  }
  /* An idle addon must not keep the process alive. */
  napi_unref_threadsafe_function(env, addon->finished);
  return true;
}

static int put_on_thread(struct job *job) {
  if (hand_to_waiting(job)) return 0;
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
  pthread_t thread;
  error = pthread_create(&thread, &attributes, thread_main, job);
  pthread_attr_destroy(&attributes);
  return error;
}

/* Has a thread of its own compute a job, or leaves it to those that do, when these are as many as there may be. */
static int compute(struct job *job) {
  int error = 0;
  pthread_mutex_lock(&computed.mutex);
  if (computed.threads >= processors()) {
    job->next = NULL;
    if (computed.first == NULL) computed.first = job;
    else computed.last->next = job;
    computed.last = job;
  } else {
    error = put_on_thread(job);
    if (error == 0) computed.threads += 1;
  }
  pthread_mutex_unlock(&computed.mutex);
  return error;
}

static int spawn(struct job *job) { return job->computes ? compute(job) : put_on_thread(job); }

static struct row *new_row(struct job *const *jobs, uint32_t count, const struct need *needs, uint32_t need_count) {
  struct row *row = calloc(1, sizeof(*row));
  if (row == NULL) return NULL;
  pthread_mutex_init(&row->mutex, NULL);
  atomic_init(&row->left, count);
  row->count = count;
  row->need_count = need_count;
  row->places = calloc(count, sizeof(*row->places));
  row->needs = calloc(need_count + 1, sizeof(*row->needs));
  if (row->places == NULL || row->needs == NULL) {
    row_free(row);
    return NULL;
  }
  for (uint32_t at = 0; at < need_count; at++) {
    row->needs[at] = needs[at];
    row->places[needs[at].job].waits_for += 1;
  }
  for (uint32_t at = 0; at < count; at++) {
    row->places[at].job = jobs[at];
    jobs[at]->row = row;
    jobs[at]->place = at;
  }
  return row;
}

/* Makes the promises of all jobs; false with an exception pending when Node cannot. */
static bool make_promises(napi_env env, struct job *const *jobs, uint32_t count, napi_value promises) {
  for (uint32_t at = 0; at < count; at++) {
    napi_value promise = NULL;
    if (napi_create_promise(env, &jobs[at]->deferred, &promise) != napi_ok ||
        napi_set_element(env, promises, at, promise) != napi_ok)
      return false;
  }
  return true;
}

napi_value jobs_start(napi_env env, struct job *const *jobs, uint32_t count, const struct need *needs,
                      uint32_t need_count) {
  struct addon *addon = addon_of(env);
  if (addon == NULL) {
    jobs_release(jobs, count);
    return NULL;
  }
  if (addon->running_rows >= ROWS_MAX) {
    jobs_release(jobs, count);
    return negative_errno(env, EAGAIN);
  }
  struct row *row = new_row(jobs, count, needs, need_count);
  napi_value promises = NULL;
  if (row == NULL || !make_finished(env, addon) || napi_create_array(env, &promises) != napi_ok ||
      !make_promises(env, jobs, count, promises) || napi_acquire_threadsafe_function(addon->finished) != napi_ok) {
    jobs_release(jobs, count);
    napi_throw_error(env, NULL, "usherd addon: no thread can be started");
    return NULL;
  }
  for (uint32_t at = 0; at < count; at++) {
    jobs[at]->addon = addon;
    jobs[at]->finished = addon->finished;
  }
  /* Nothing comes before the first, so that nobody has to be asked whether it may begin. */
  row->places[0].is_begun = true;
  int error = spawn(jobs[0]);
  if (error != 0) {
    napi_release_threadsafe_function(addon->finished, napi_tsfn_release);
    for (uint32_t at = 0; at < count; at++)
      napi_resolve_deferred(env, jobs[at]->deferred, negative_errno(env, error));
    jobs_release(jobs, count);
    return promises;
  }
  addon->running_rows += 1;
  if (addon->running_rows == 1) napi_ref_threadsafe_function(env, addon->finished);
  return promises;
}

napi_value job_start(napi_env env, struct job *job) {
  napi_value started = jobs_start(env, &job, 1, NULL, 0);
  bool are_promises = false;
  if (started == NULL || napi_is_array(env, started, &are_promises) != napi_ok || !are_promises) return started;
  napi_value promise = NULL;
  return napi_get_element(env, started, 0, &promise) == napi_ok ? promise : NULL;
}
