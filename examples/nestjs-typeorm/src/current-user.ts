import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import type { Request } from 'express';
import type { User } from './token.guard.js';

/** Made anew for each request, and before its guards run: the user is read when somebody asks. */
@Injectable({ scope: Scope.REQUEST })
export class CurrentUser {
  constructor(@Inject(REQUEST) private readonly request: Request & { user?: User }) {}

  get id(): string {
    if (this.request.user === undefined) throw new Error('asked for the user of a route without a guard');
    return this.request.user.id;
  }
}
