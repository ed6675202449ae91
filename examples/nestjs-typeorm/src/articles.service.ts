import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import { DataSource, Repository } from 'typeorm';
import { Article } from './article.entity.js';
import { CurrentUser } from './current-user.js';

@Injectable()
export class ArticlesService {
  constructor(
    @InjectRepository(Article) private readonly articles: Repository<Article>,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly user: CurrentUser,
  ) {}

  write(title: string): Promise<Article> {
    return this.articles.save({ title, author: this.user.id });
  }

  find(): Promise<Article[]> {
    return this.articles.find();
  }

  /** Publishes all of them or none: of what is rolled back, nothing is on record but that it was asked for. */
  async publish(ids: readonly number[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      for (const id of ids) {
        const article = await manager.findOneBy(Article, { id });
        if (article === null) throw new NotFoundException();
        if (article.status !== 'draft') throw new ConflictException('it is published already');
        await manager.save(Object.assign(article, { status: 'published' as const }));
      }
    });
  }
}
