/*
 * A job on a thread of its own. A module's init function can sleep for seconds inside finit_module(2); libuv's pool has four threads,
 * which all of Node's file calls share, so four slow drivers would stop the whole daemon. Hence detached threads, outside the pool.
 */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* The loader's queue in TypeScript keeps far below this; it bounds what a mistake there can cost. */
#define THREADS_MAX 256U
/* The calls run on the kernel's stack, and liblzma keeps its tables on the heap. AddressSanitizer needs the room. */
#define THREAD_STACK_BYTES (512U * 1024U)

static void settle(napi_env env, napi_value function, void *context, void *data) {
  (void)function;
  (void)context;
  struct job *job = data;
  /* Without an environment the process is on its way out: there is nobody left to answer. */
  if (env != NULL) {
    struct addon *addon = job->addon;
    addon->running_threads -= 1;
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

static void *thread_main(void *data) {
  struct job *job = data;
  napi_threadsafe_function finished = job->finished;
  job->run(job);
  /* On napi_closing Node has given our hold on the function back already, and it must not be touched again. */
  if (napi_call_threadsafe_function(finished, job, napi_tsfn_blocking) != napi_ok) {
    job->release(job);
    return NULL;
  }
  napi_release_threadsafe_function(finished, napi_tsfn_release);
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

napi_value job_start(napi_env env, struct job *job) {
  struct addon *addon = addon_of(env);
  if (addon == NULL) {
    job->release(job);
    return NULL;
  }
  if (addon->running_threads >= THREADS_MAX) {
    job->release(job);
    return negative_errno(env, EAGAIN);
  }
  napi_value promise = NULL;
  if (!make_finished(env, addon) || napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
      napi_acquire_threadsafe_function(addon->finished) != napi_ok) {
    job->release(job);
    napi_throw_error(env, NULL, "usherd addon: no thread can be started");
    return NULL;
  }
  job->addon = addon;
  job->finished = addon->finished;
  int error = spawn(job);
  if (error != 0) {
    napi_release_threadsafe_function(addon->finished, napi_tsfn_release);
    napi_resolve_deferred(env, job->deferred, negative_errno(env, error));
    job->release(job);
    return promise;
  }
  addon->running_threads += 1;
  if (addon->running_threads == 1) napi_ref_threadsafe_function(env, addon->finished);
  return promise;
}
