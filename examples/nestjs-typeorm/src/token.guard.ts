import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';

export interface User {
  readonly id: string;
  readonly role: 'author' | 'editor';
}

/** Stands in for your own authentication. */
const USERS: ReadonlyMap<string, User> = new Map([
  ['token-of-ida', { id: 'ida', role: 'author' }],
  ['token-of-max', { id: 'max', role: 'editor' }],
]);

/** The role that a route demands. */
export const Role = Reflector.createDecorator<User['role']>();

/** Puts the user where `auditContext()` looks for who acts: every event of the request is theirs, those of refusals too. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request & { user?: User }>();
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const user = USERS.get(token);
    if (user === undefined) throw new UnauthorizedException();
    request.user = user;
    const role = this.reflector.get(Role, context.getHandler());
    return role === undefined || role === user.role;
  }
}
