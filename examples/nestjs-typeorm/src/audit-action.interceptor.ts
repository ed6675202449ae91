import { auditAction } from '@indelible/express';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';

/** What a handler does, in the words of the log. */
export const AuditAction = Reflector.createDecorator<{
  readonly action: string;
  readonly resource: string;
}>();

/** Records the action that a handler names, when its response is over, with the outcome of its status. */
@Injectable()
export class AuditActionInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const named = this.reflector.get(AuditAction, context.getHandler());
    if (named !== undefined) {
      const http = context.switchToHttp();
      const record = auditAction(named.action, {
        resource: ({ params }) =>
          params.id === undefined ? undefined : { type: named.resource, id: params.id },
      });
      record(http.getRequest<Request>(), http.getResponse<Response>(), () => {});
    }
    return next.handle();
  }
}
