/* The first process: it may be root, never parses HTTP, TLS or a configuration, and lives as long
 * as the service does. It holds the listening sockets, starts the gateway process, watches over it
 * and starts it again, and turns signals into messages. One thread: poll and a signalfd. */
#ifndef TG_SUPERVISOR_SUPERVISOR_H
#define TG_SUPERVISOR_SUPERVISOR_H

/* Runs until SIGTERM or SIGINT has been answered, or until the very first start of the gateway
 * process fails; the exit status. conf_path is handed on to each gateway process. */
int supervisor_run(const char *conf_path) __attribute__((warn_unused_result));

#endif
