/* OpenSSL's memory in worker threads. A connection holds some hundred small objects of OpenSSL for
 * its whole life, needs hundreds more for its handshake, and two buffers of a good 16 KiB for each
 * record; malloc's headers and its lock-step with the other threads cost a tenth of the memory and
 * of the handshake. Here each worker has lists of free blocks by size, cut from spans of one
 * reserved range, so that a block needs no header and the next record finds a buffer that is still
 * in the cache.
 *
 * A block is given back to the thread that frees it; objects of a worker are freed by that worker,
 * and what other threads allocate is malloc's. What was once needed stays ready; it is not given
 * back. */
#ifndef TG_NET_TLS_MEM_H
#define TG_NET_TLS_MEM_H

/* Once, before anything of OpenSSL is used and before there are threads. Where it cannot be had (no
 * address space, sanitizer builds) malloc serves everything. */
void tls_mem_init(void);
/* This thread is a worker: from now on its blocks come from lists of its own. */
void tls_mem_thread(void);

#endif
