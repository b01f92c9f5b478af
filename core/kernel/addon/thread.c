/*
 * A job, or a row of them, on a thread of its own. A module's init function can sleep for seconds inside finit_module(2); libuv's pool has four threads,
 * which all of Node's file calls share, so four slow drivers would stop the whole daemon. Hence detached threads, outside the pool.
 * A thread that has done its job waits a moment for another: making one anew for each of thousands of files costs more than handing over.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* The loader's queue in TypeScript keeps far below this; it bounds what a mistake there can cost. */
#define THREADS_MAX 256U
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

static void settle(napi_env env, napi_value function, void *context, void *data) {
  (void)function;
  (void)context;
  struct job *job = data;
  /* Without an environment the process is on its way out: there is nobody left to answer. */
  if (env != NULL) {
    struct addon *addon = job->addon;
    if (job->is_last) addon->running_threads -= 1;
    if (addon->running_threads == 0) napi_unref_threadsafe_function(env, addon->finished);
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
  job->release(job);
}

void jobs_release(struct job *first) {
  for (struct job *job = first, *after; job != NULL; job = after) {
    after = job->after;
    job->release(job);
  }
}

static void run_all(struct job *first) {
  napi_threadsafe_function finished = first->finished;
  for (struct job *job = first, *after; job != NULL; job = after) {
    after = job->after;
    job->run(job);
    if (after != NULL) after->is_over = job->is_over;
    /* On napi_closing Node has given our hold on the function back already, and it must not be touched again. */
    if (napi_call_threadsafe_function(finished, job, napi_tsfn_blocking) != napi_ok) {
      job->release(job);
      jobs_release(after);
      return;
    }
  }
  napi_release_threadsafe_function(finished, napi_tsfn_release);
}

static void *thread_main(void *data) {
  for (struct job *job = data; job != NULL; job = wait_for_job()) run_all(job);
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

static int spawn(struct job *job) {
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

/* Makes the promises of all jobs; false with an exception pending when Node cannot. */
static bool make_promises(napi_env env, struct job *first, napi_value promises) {
  uint32_t index = 0;
  for (struct job *job = first; job != NULL; job = job->after) {
    napi_value promise = NULL;
    if (napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
        napi_set_element(env, promises, index++, promise) != napi_ok)
      return false;
    job->is_last = job->after == NULL;
  }
  return true;
}

napi_value jobs_start(napi_env env, struct job *first) {
  struct addon *addon = addon_of(env);
  if (addon == NULL) {
    jobs_release(first);
    return NULL;
  }
  if (addon->running_threads >= THREADS_MAX) {
    jobs_release(first);
    return negative_errno(env, EAGAIN);
  }
  napi_value promises = NULL;
  if (!make_finished(env, addon) || napi_create_array(env, &promises) != napi_ok ||
      !make_promises(env, first, promises) || napi_acquire_threadsafe_function(addon->finished) != napi_ok) {
    jobs_release(first);
    napi_throw_error(env, NULL, "usherd addon: no thread can be started");
    return NULL;
  }
  for (struct job *job = first; job != NULL; job = job->after) {
    job->addon = addon;
    job->finished = addon->finished;
  }
  int error = spawn(first);
  if (error != 0) {
    napi_release_threadsafe_function(addon->finished, napi_tsfn_release);
    for (struct job *job = first; job != NULL; job = job->after)
      napi_resolve_deferred(env, job->deferred, negative_errno(env, error));
    jobs_release(first);
    return promises;
  }
  addon->running_threads += 1;
  if (addon->running_threads == 1) napi_ref_threadsafe_function(env, addon->finished);
  return promises;
}

napi_value job_start(napi_env env, struct job *job) {
  napi_value started = jobs_start(env, job);
  bool are_promises = false;
  if (started == NULL || napi_is_array(env, started, &are_promises) != napi_ok || !are_promises) return started;
  napi_value promise = NULL;
  return napi_get_element(env, started, 0, &promise) == napi_ok ? promise : NULL;
}
