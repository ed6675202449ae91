import { runWithContext } from '@indelible/context';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Article } from './article.entity.js';

/** What has no request says itself who acts: a cron job, a queue's worker, a handler of WebSocket messages. */
@Injectable()
export class ArchiveJob {
  constructor(@InjectRepository(Article) private readonly articles: Repository<Article>) {}

  /** @param correlationId the id of this run, by which its events are found */
  async run(correlationId: string): Promise<void> {
    await runWithContext(
      { actor: { type: 'system', id: 'nightly-archive' }, source: 'job', correlationId },
      () => this.articles.update({ status: 'published' }, { status: 'archived' }),
    );
  }
}
