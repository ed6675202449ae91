import type { PreparedEvent } from '@indelible/core';

export const LOG: string;
export const SECRET: string;
export function makeEvent(writer: number, n: number): PreparedEvent;
export function makeEvents(writer: number, from: number, to: number): PreparedEvent[];
